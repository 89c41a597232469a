"""Writes `dbt_project/seeds/holidays.csv`: public holidays of the countries with a calendar.

    .venv/bin/python -m local.public_holidays

The warehouse reads the file and never this package, so a newer package changes no figure until
somebody runs this, reads the difference and commits it.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path

YEARS = range(2022, 2029)
SEEDS = Path(__file__).parents[1] / "dbt_project" / "seeds"


def countries() -> list[str]:
    """Every calendar of the seed that is a country; the default one keeps no holidays."""
    with (SEEDS / "business_calendars.csv").open() as file:
        return sorted({row["calendar"] for row in csv.DictReader(file)} - {"default"})


def listed() -> str:
    """The whole file: nation-wide days off, with the days in lieu of those at a weekend."""
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
