"""Write `dbt_project/seeds/holidays.csv`: public holidays of the countries with a calendar.

    .venv/bin/python -m local.public_holidays

The warehouse reads the file and not the package `holidays`, so a new version of the package
changes no figure until the file is regenerated, reviewed and committed.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

YEARS = range(2022, 2029)
SEEDS = Path(__file__).parents[1] / "dbt_project" / "seeds"


def countries() -> list[str]:
    """Return the calendars of the seed that are countries; `default` has no holidays."""
    with (SEEDS / "business_calendars.csv").open() as file:
        return sorted({row["calendar"] for row in csv.DictReader(file)} - {"default"})


def listed() -> str:
    """Return the CSV of nation-wide holidays, including substitute days for weekends."""
    import holidays  # only here: a development dependency

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["calendar", "date", "name"])
    for country in countries():
        found = holidays.country_holidays(country, years=YEARS, language="en_US")
        writer.writerows((country, day.isoformat(), found[day]) for day in sorted(found))
    return text.getvalue()


if __name__ == "__main__":
    (SEEDS / "holidays.csv").write_text(listed())
