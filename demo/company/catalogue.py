"""The catalogue: plans, modules, prices in three currencies, coupons.

Every price is a multiple of 100 minor units a month (1,200 a year) and every percentage is whole.
So every monthly amount is a whole number of minor units, and tests need no rounding.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from demo.company.chance import token

RISE_DAY = 245  # list prices rise by 8 % on this day of the history
RATES = {"usd": 1.0, "eur": 0.92, "jpy": 1.5}  # minor units per US cent; the yen has no minor unit
MINOR = {"usd": 100, "eur": 100, "jpy": 1}

# product key -> (name, US cents a month when paid monthly)
PRODUCTS: dict[str, tuple[str, int]] = {
    "essentials_seat": ("Essentials seat", 4900),
    "growth_seat": ("Growth seat", 7900),
    "growth_platform": ("Growth platform", 29900),
    "scale_seat": ("Scale seat", 10900),
    "scale_platform": ("Scale platform", 99900),
    "forecasting": ("Forecasting module", 14900),
    "audit_log": ("Audit log module", 9900),
    "sandbox": ("Sandbox", 19900),
    "premium_support": ("Premium support", 39900),
    "single_sign_on": ("Single sign-on", 12900),
    "data_export": ("Data export module", 8900),
    "api_pack": ("API pack", 4900),
    "eu_hosting": ("EU hosting", 17900),
    "custom_roles": ("Custom roles module", 7900),
    "field_service": ("Field service module", 24900),
    "multi_brand": ("Multi-brand module", 15900),
    "automation": ("Workflow automation", 18900),
    "compliance": ("Compliance archive", 21900),
    "advanced_analytics": ("Advanced analytics", 27900),
}
MODULES = tuple(PRODUCTS)[5:]
PLATFORM = {"growth": "growth_platform", "scale": "scale_platform"}
ONBOARDING = ("onboarding", "Onboarding package", 250000)


@dataclass(frozen=True, slots=True)
class Price:
    """One price of one product; ``months`` is 0 for a one-off fee."""

    id: str
    product: str
    currency: str
    months: int
    generation: int
    unit_amount: int


@dataclass(frozen=True, slots=True)
class Coupon:
    """A discount on offer; ``duration`` is once, repeating or forever."""

    id: str
    name: str
    duration: str
    percent_off: int | None = None
    amount_off: int | None = None
    currency: str | None = None
    periods: int | None = None


@cache
def price_of(product: str, currency: str, months: int, generation: int) -> Price:
    """The list price of a generation (0 before the price rise, 1 after it)."""
    cents = ONBOARDING[2] if months == 0 else PRODUCTS[product][1]
    monthly = cents * RATES[currency] * (1.08 if generation else 1.0)
    if months == 12:
        monthly *= 0.83  # a yearly payment saves two months
    unit = max(1, round(monthly / 100)) * 100 * max(months, 1)
    key = f"price_1{token(23, 'price', product, currency, months, generation)}"
    return Price(key, product, currency, months, generation, unit)


def all_prices() -> list[Price]:
    """Return every price, in a fixed order."""
    recurring = [
        price_of(product, currency, months, generation)
        for product in PRODUCTS
        for currency in RATES
        for months in (1, 12)
        for generation in (0, 1)
    ]
    one_off = [price_of(ONBOARDING[0], currency, 0, 0) for currency in RATES]
    return recurring + one_off


PERCENT_COUPONS = {
    "welcome20": Coupon("WELCOME20", "20 % off the first invoice", "once", 20),
    "launch50": Coupon("LAUNCH50", "Half price for 3 months", "repeating", 50, periods=3),
    "quarter25": Coupon("STARTER25", "25 % off for 6 months", "repeating", 25, periods=6),
    "pilot100": Coupon("PILOT100", "Two months on the house", "repeating", 100, periods=2),
    "partner10": Coupon("PARTNER10", "Partner discount", "forever", 10),
    "framework15": Coupon("FRAMEWORK15", "Framework agreement", "forever", 15),
    "stay30": Coupon("STAY30", "Thank you for staying", "repeating", 30, periods=4),
}


def fixed_coupon(currency: str) -> Coupon:
    """A fixed sum off each of the first three monthly invoices."""
    amount = round(100 * RATES[currency]) * 100
    return Coupon(
        f"FIXED100{currency.upper()}", "100 off for 3 months", "repeating",
        amount_off=amount, currency=currency, periods=3,
    )  # fmt: skip
