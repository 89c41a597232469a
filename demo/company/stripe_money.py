"""Stripe's simpler objects: customers, charges, refunds, products, prices, coupons, discounts."""

from __future__ import annotations

from functools import cache

from demo.company.catalogue import ONBOARDING, PRODUCTS, Coupon, Price
from demo.company.chance import token
from demo.company.contract import Discount
from demo.company.customer import Customer
from demo.company.facts import State
from demo.company.versions import Doc


def customer(customer: Customer, key: str, state: State) -> Doc:
    """A customer, or what is left of a removed one."""
    if state.get("removed"):
        return {"id": key, "object": "customer", "deleted": True}
    profile = customer.profile
    return {
        "id": key, "object": "customer",
        "address": {"city": profile.city, "country": profile.country, "line1": None,
                    "line2": None, "postal_code": None, "state": None},
        "balance": state["balance"], "created": state["created"], "currency": profile.currency,
        "default_source": None, "delinquent": state["delinquent"], "description": None,
        "discount": None, "email": f"billing@{profile.domain}",
        "invoice_prefix": key[-8:].upper(),
        "invoice_settings": {"custom_fields": None, "default_payment_method": None,
                             "footer": None, "rendering_options": None},
        "livemode": False, "metadata": {"crm_company_id": profile.company_id},
        "name": profile.name, "phone": None, "preferred_locales": [], "shipping": None,
        "tax_exempt": "none", "test_clock": None,
    }  # fmt: skip


def charge(customer: Customer, key: str, state: State) -> Doc:
    """An attempt to be paid by card."""
    failure, amount = state["failure"], state["amount"]
    return {
        "id": key, "object": "charge", "amount": amount,
        "amount_captured": 0 if failure else amount, "amount_refunded": state["refunded"],
        "balance_transaction": None if failure else f"txn_3{token(23, key)}",
        "billing_details": {"address": None, "email": None, "name": customer.profile.name,
                            "phone": None},
        "captured": not failure, "created": state["created"], "currency": customer.profile.currency,
        "customer": customer.profile.stripe_id, "description": "Subscription", "disputed": False,
        "failure_code": failure, "failure_message": "Your card was declined." if failure else None,
        "invoice": state["invoice"], "livemode": False, "metadata": {},
        "outcome": {"network_status": "declined_by_network" if failure else "approved_by_network",
                    "reason": failure, "risk_level": "normal", "type":
                    "issuer_declined" if failure else "authorized"},
        "paid": not failure, "payment_method": None,
        "refunded": state["refunded"] == amount and not failure,
        "status": "failed" if failure else "succeeded",
    }  # fmt: skip


def refund(customer: Customer, key: str, state: State) -> Doc:
    """Money given back."""
    return {
        "id": key, "object": "refund", "amount": state["amount"],
        "balance_transaction": f"txn_3{token(23, key)}", "charge": state["charge"],
        "created": state["created"], "currency": customer.profile.currency, "metadata": {},
        "payment_intent": None, "reason": state["reason"], "receipt_number": None,
        "status": "succeeded",
    }  # fmt: skip


def product_id(product: str) -> str:
    """The id of a product."""
    return f"prod_{token(14, 'product', product)}"


def product_name(key: str) -> str:
    """What a product is called on invoices."""
    return ONBOARDING[1] if key == ONBOARDING[0] else PRODUCTS[key][0]


def product(key: str, created: int) -> Doc:
    """A product of the catalogue."""
    return {
        "id": product_id(key), "object": "product", "active": True, "attributes": [],
        "created": created, "default_price": None, "description": None, "images": [],
        "livemode": False, "marketing_features": [], "metadata": {"key": key},
        "name": product_name(key),
        "package_dimensions": None, "shippable": None, "statement_descriptor": None,
        "tax_code": None, "type": "service", "unit_label": "seat" if "seat" in key else None,
        "updated": created, "url": None,
    }  # fmt: skip


def recurring(months: int) -> Doc | None:
    """The interval of a price, null for a one-off fee."""
    if months == 0:
        return None
    return {
        "aggregate_usage": None, "interval": "year" if months == 12 else "month",
        "interval_count": 1, "meter": None, "trial_period_days": None, "usage_type": "licensed",
    }  # fmt: skip


def price(item: Price, created: int, *, active: bool) -> Doc:
    """Return a price of the catalogue, in the form that lines and items embed too."""
    interval = {0: "once", 1: "month", 12: "year"}[item.months]
    return {
        "id": item.id, "object": "price", "active": active, "billing_scheme": "per_unit",
        "created": created, "currency": item.currency, "custom_unit_amount": None,
        "livemode": False, "metadata": {},
        "lookup_key": f"{item.product}_{item.currency}_{interval}_{item.generation}",
        "nickname": product_name(item.product), "product": product_id(item.product),
        "recurring": recurring(item.months), "tax_behavior": "exclusive", "tiers_mode": None,
        "transform_quantity": None, "type": "recurring" if item.months else "one_time",
        "unit_amount": item.unit_amount, "unit_amount_decimal": str(item.unit_amount),
    }  # fmt: skip


@cache
def shared_price(item: Price, created: int) -> Doc:
    """One document per price for all lines and items that show it."""
    return price(item, created, active=True)


def coupon(item: Coupon, created: int) -> Doc:
    """A coupon; the number of months is the number of monthly periods."""
    return {
        "id": item.id, "object": "coupon", "amount_off": item.amount_off, "created": created,
        "currency": item.currency, "duration": item.duration,
        "duration_in_months": item.periods, "livemode": False, "max_redemptions": None,
        "metadata": {}, "name": item.name,
        "percent_off": None if item.percent_off is None else float(item.percent_off),
        "redeem_by": None, "times_redeemed": 0, "valid": True,
    }  # fmt: skip


def discount(
    item: Discount | None, created: int, customer_id: str, subscription_id: str
) -> Doc | None:
    """A coupon as applied to a subscription."""
    if item is None:
        return None
    return {
        "id": item.id, "object": "discount", "checkout_session": None,
        "coupon": coupon(item.coupon, created), "customer": customer_id, "end": item.end,
        "invoice": None, "invoice_item": None, "promotion_code": None, "start": item.start,
        "subscription": subscription_id, "subscription_item": None,
    }  # fmt: skip
