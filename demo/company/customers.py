"""Draw customer profiles: size, location, behaviour and arrival day."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from demo.company.chance import token, weighted

FIRST_DAY = -420  # billing goes back this far before the history starts
LAST_ARRIVAL = 765  # the last of the customers arrives about here

INDUSTRIES = ("Manufacturing", "Logistics", "Professional services", "Retail")
SEGMENTS = (("SMB", 0.54), ("Mid-Market", 0.30), ("Enterprise", 0.16))
# country -> (time zone, currency, city, weight)
PLACES = {
    "US": ("America/New_York", "usd", "Columbus", 30),
    "CA": ("America/Toronto", "usd", "Toronto", 7),
    "GB": ("Europe/London", "usd", "Leeds", 9),
    "AU": ("Australia/Sydney", "usd", "Sydney", 5),
    "BR": ("America/Sao_Paulo", "usd", "Curitiba", 4),
    "IN": ("Asia/Kolkata", "usd", "Pune", 5),
    "DE": ("Europe/Berlin", "eur", "Hannover", 13),
    "FR": ("Europe/Paris", "eur", "Lyon", 8),
    "NL": ("Europe/Amsterdam", "eur", "Utrecht", 6),
    "ES": ("Europe/Madrid", "eur", "Valencia", 5),
    "JP": ("Asia/Tokyo", "jpy", "Nagoya", 8),
}
STEMS = (
    "Alder", "Beacon", "Cinder", "Dover", "Ember", "Fjord", "Garnet", "Harbor", "Iron", "Juniper",
    "Kestrel", "Lark", "Maple", "Nimbus", "Orchard", "Pioneer", "Quarry", "Ridge", "Summit",
    "Tundra", "Umber", "Vale", "Willow", "Yarrow", "Zephyr", "Arbor", "Basalt", "Coral", "Drift",
    "Elm", "Flint", "Grove", "Hollow", "Indigo", "Jasper", "Kiln", "Linden",
)  # fmt: skip
TAILS = (
    "works", "line", "field", "bridge", "point", "gate", "stone", "mark", "forge", "crest",
    "path", "well", "yard", "dale", "port", "view", "craft", "ware", "spring",
)  # fmt: skip
FORMS = {"US": "Inc.", "CA": "Ltd.", "GB": "Ltd", "AU": "Pty Ltd", "BR": "Ltda.", "IN": "Pvt Ltd",
         "DE": "GmbH", "FR": "SAS", "NL": "B.V.", "ES": "S.L.", "JP": "K.K."}  # fmt: skip
SEATS = {"SMB": (3, 8), "Mid-Market": (9, 24), "Enterprise": (24, 55)}
PLAN = {"SMB": "essentials", "Mid-Market": "growth", "Enterprise": "scale"}
EMPLOYEES = {"SMB": (8, 90), "Mid-Market": (100, 900), "Enterprise": (1000, 18000)}
CHURN_A_MONTH = {"SMB": 0.025, "Mid-Market": 0.012, "Enterprise": 0.006}


@dataclass(frozen=True, slots=True)
class Profile:
    """What is fixed about a customer from the first day on."""

    index: int
    company_id: str
    stripe_id: str
    name: str
    domain: str
    segment: str
    industry: str
    country: str
    zone: str
    city: str
    currency: str
    employees: int
    arrives: int
    seats: int
    plan: str
    months: int
    by_invoice: bool
    trial_days: int
    fit: float
    locked_in: bool
    payer_care: float
    notice_days: int


def company_name(index: int) -> tuple[str, str]:
    """Return a name and domain unique to this index."""
    # 331 shares no factor with 37 x 19, so the walk meets every pair before it repeats.
    place = index * 331 % (len(STEMS) * len(TAILS))
    lap = index // (len(STEMS) * len(TAILS))
    word = STEMS[place % len(STEMS)] + TAILS[place // len(STEMS)] + (str(lap + 1) if lap else "")
    return word, f"{word.lower()}.example"


def draw_profile(seed: int, index: int, rng: Random) -> Profile:
    """Draw the profile of that index, independently of the other customers."""
    segment = weighted(rng, SEGMENTS)
    country = weighted(rng, [(code, place[3]) for code, place in PLACES.items()])
    zone, currency, city, _ = PLACES[country]
    word, domain = company_name(index)
    low, high = SEATS[segment]
    annual = rng.random() < {"SMB": 0.22, "Mid-Market": 0.55, "Enterprise": 0.95}[segment]
    return Profile(
        index=index,
        company_id=str(18_100_000_000 + index * 104_729),
        stripe_id=f"cus_{token(14, seed, 'customer', index)}",
        name=f"{word} {FORMS[country]}",
        domain=domain,
        segment=segment,
        industry=INDUSTRIES[int(rng.random() * len(INDUSTRIES))],
        country=country,
        zone=zone,
        city=city,
        currency=currency,
        employees=rng.randint(*EMPLOYEES[segment]),
        arrives=draw_arrival(rng),
        seats=rng.randint(low, high),
        plan=PLAN[segment],
        months=12 if annual else 1,
        by_invoice=annual
        and rng.random() < {"SMB": 0.1, "Mid-Market": 0.5, "Enterprise": 0.9}[segment],
        trial_days=draw_trial(segment, rng),
        fit=min(9.4, max(3.2, rng.gauss(7.1, 1.15))),
        locked_in=rng.random() < 0.16,
        payer_care=rng.random(),
        notice_days={"SMB": 0, "Mid-Market": 30, "Enterprise": 90}[segment],
    )


def draw_arrival(rng: Random) -> int:
    """Draw the arrival: for one third before the history starts, then at a steady rate."""
    early = rng.random() < 0.34
    spread = rng.random()
    return int(FIRST_DAY + spread * -FIRST_DAY) if early else int(spread * LAST_ARRIVAL)


def draw_trial(segment: str, rng: Random) -> int:
    """Days of trial before the first payment; most large customers have none."""
    takes = rng.random() < {"SMB": 0.45, "Mid-Market": 0.22, "Enterprise": 0.0}[segment]
    return (14 if rng.random() < 0.7 else 30) if takes else 0
