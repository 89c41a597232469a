"""Stripe's subscriptions and invoices."""

from __future__ import annotations

from typing import Any

from demo.company.chance import token
from demo.company.clock import as_date
from demo.company.contract import Line
from demo.company.customer import Customer
from demo.company.facts import State
from demo.company.stripe_money import discount, product_name, shared_price
from demo.company.versions import Doc

LISTED = {"object": "list", "has_more": False}
NO_TAX = {"disabled_reason": None, "enabled": False, "liability": None}


def opened(customer: Customer) -> int:
    """When the catalogue was put into Stripe."""
    return customer.clock.midnight(-520) + 36_000


def items_list(customer: Customer, key: str, items: tuple[Any, ...]) -> Doc:
    """The nested list of subscription items, whole."""
    data = [
        {
            "id": item_id, "object": "subscription_item", "billing_thresholds": None,
            "created": since, "discounts": [], "metadata": {},
            "plan": plan(customer, price), "price": shared_price(price, opened(customer)),
            "quantity": quantity, "subscription": key, "tax_rates": [],
        }
        for item_id, price, quantity, since in items
    ]  # fmt: skip
    return {
        **LISTED, "data": data, "total_count": len(data),
        "url": f"/v1/subscription_items?subscription={key}",
    }  # fmt: skip


def plan(customer: Customer, price: Any) -> Doc:
    """The older face of a recurring price, which Stripe still shows beside it."""
    shown = shared_price(price, opened(customer))
    return {
        "id": price.id, "object": "plan", "active": True, "amount": price.unit_amount,
        "currency": price.currency, "interval": shown["recurring"]["interval"],
        "interval_count": 1, "product": shown["product"], "usage_type": "licensed",
    }  # fmt: skip


def subscription(customer: Customer, key: str, state: State) -> Doc:
    """A subscription as it stands."""
    found = discount(state["discount"], opened(customer), customer.profile.stripe_id, key)
    paused = state["paused_until"]
    return {
        "id": key, "object": "subscription", "application": None, "automatic_tax": NO_TAX,
        "billing_cycle_anchor": state["anchor"], "billing_thresholds": None,
        "cancel_at": state["period_end"] if state["cancel_at_period_end"] else None,
        "cancel_at_period_end": state["cancel_at_period_end"],
        "canceled_at": state["canceled_at"],
        "cancellation_details": {"comment": None, "feedback": state["feedback"],
                                 "reason": state["cancel_reason"]},
        "collection_method": "send_invoice" if state["by_invoice"] else "charge_automatically",
        "created": state["start"], "currency": customer.profile.currency,
        "current_period_end": state["period_end"], "current_period_start": state["period_start"],
        "customer": customer.profile.stripe_id,
        "days_until_due": 30 if state["by_invoice"] else None,
        "default_payment_method": None, "default_source": None, "default_tax_rates": [],
        "description": None, "discount": found, "discounts": [found["id"]] if found else [],
        "ended_at": state["ended_at"],
        "invoice_settings": {"account_tax_ids": None, "issuer": {"type": "self"}},
        "items": items_list(customer, key, state["items"]),
        "latest_invoice": state["latest_invoice"],
        "livemode": False, "metadata": {"crm_company_id": customer.profile.company_id},
        "next_pending_invoice_item_invoice": None, "on_behalf_of": None,
        "pause_collection": {"behavior": "void", "resumes_at": paused} if paused else None,
        "pending_invoice_item_interval": None, "pending_setup_intent": None,
        "pending_update": None, "schedule": None, "start_date": state["start"],
        "status": state["status"], "test_clock": None, "transfer_data": None,
        "trial_end": state["trial_end"],
        "trial_settings": {"end_behavior": {"missing_payment_method": "cancel"}},
        "trial_start": state["start"] if state["trial_end"] else None,
    }  # fmt: skip


def describe(line: Line) -> str:
    """The text a customer reads on the invoice."""
    name = product_name(line.price.product)
    day = as_date(line.start).strftime("%-d %b %Y")
    return {
        "trial": f"Trial period for {name}",
        "credit": f"Unused time on {line.quantity} x {name} after {day}",
        "debit": f"Remaining time on {line.quantity} x {name} after {day}",
        "one_off": name,
    }.get(line.kind, f"{line.quantity} x {name}")


def invoice_line(customer: Customer, subscription_id: str, line: Line, applied: str | None) -> Doc:
    """One line; ``amount`` is before the discount, except on credits, which are net of it."""
    proration = line.kind in ("credit", "debit")
    amounts = [{"amount": line.discount, "discount": applied}] if line.discount else []
    one_off = line.kind == "one_off"
    return {
        "id": line.id, "object": "line_item", "amount": line.amount,
        "amount_excluding_tax": line.amount, "currency": customer.profile.currency,
        "description": describe(line), "discount_amounts": amounts,
        "discountable": not proration or line.kind == "debit", "discounts": [],
        "invoice_item": f"ii_1{token(23, line.id)}" if proration or one_off else None,
        "livemode": False, "metadata": {}, "period": {"end": line.end, "start": line.start},
        "plan": None if one_off else plan(customer, line.price), "pretax_credit_amounts": [],
        "price": shared_price(line.price, opened(customer)), "proration": proration,
        "proration_details": {"credited_items": credited(line)}, "quantity": line.quantity,
        "subscription": subscription_id, "subscription_item": line.item_id, "tax_amounts": [],
        "tax_rates": [], "type": "invoiceitem" if proration or one_off else "subscription",
        "unit_amount_excluding_tax": str(line.price.unit_amount),
    }  # fmt: skip


def credited(line: Line) -> Doc | None:
    """What a credit takes back; null on every other line."""
    if line.credited is None:
        return None
    return {"invoice": line.credited[0], "invoice_line_items": [line.credited[1]]}


def lines_list(customer: Customer, key: str, state: State, applied: str | None) -> Doc:
    """The nested list of lines, whole; the same object in every version of the invoice."""
    data = [invoice_line(customer, state["subscription"], line, applied) for line in state["lines"]]
    return {**LISTED, "data": data, "total_count": len(data), "url": f"/v1/invoices/{key}/lines"}


def invoice(customer: Customer, key: str, state: State) -> Doc:
    """An invoice as it stands."""
    status, lines = state["status"], state["lines"]
    off = sum(line.discount for line in lines)
    subtotal = sum(line.amount for line in lines)
    total, due = subtotal - off, state.get("due", max(0, subtotal - off))
    paid = due if status == "paid" else 0
    used = state["discount"] if off else None
    found = discount(used, opened(customer), customer.profile.stripe_id, state["subscription"])
    applied = found["id"] if found else None
    if "rendered_lines" not in state:
        state["rendered_lines"] = lines_list(customer, key, state, applied)
    before, after = state["balance"]
    return {
        "id": key, "object": "invoice", "account_country": "US",
        "account_name": "Retention Demo, Inc.", "amount_due": due, "amount_paid": paid,
        "amount_remaining": due - paid, "amount_shipping": 0, "application": None,
        "attempt_count": state["attempts"], "attempted": state["attempts"] > 0,
        "auto_advance": status in ("draft", "open"), "automatic_tax": NO_TAX,
        "billing_reason": state["reason"], "charge": state.get("charge"),
        "collection_method": "send_invoice" if state["by_invoice"] else "charge_automatically",
        "created": state["created"], "currency": customer.profile.currency,
        "customer": customer.profile.stripe_id,
        "customer_email": f"billing@{customer.profile.domain}",
        "customer_name": customer.profile.name, "description": None, "discount": found,
        "discounts": [applied] if applied else [], "due_date": state.get("due_at"),
        "effective_at": state.get("finalized_at"), "ending_balance": after, "footer": None,
        "lines": state["rendered_lines"], "livemode": False, "metadata": {},
        "next_payment_attempt": state.get("next_attempt"), "number": number(state),
        "paid": status == "paid", "paid_out_of_band": False,
        "period_end": state["period"][1], "period_start": state["period"][0],
        "post_payment_credit_notes_amount": 0, "pre_payment_credit_notes_amount": 0,
        "starting_balance": before, "status": status,
        "status_transitions": {
            "finalized_at": state.get("finalized_at"),
            "marked_uncollectible_at": state.get("uncollectible_at"),
            "paid_at": state.get("paid_at"), "voided_at": state.get("voided_at")},
        "subscription": state["subscription"],
        "subscription_details": {"metadata": {"crm_company_id": customer.profile.company_id}},
        "subtotal": subtotal, "subtotal_excluding_tax": subtotal, "tax": None, "total": total,
        "total_discount_amounts": [{"amount": off, "discount": applied}] if applied else [],
        "total_excluding_tax": total, "total_tax_amounts": [],
    }  # fmt: skip


def number(state: State) -> str | None:
    """Drafts have no number yet."""
    return None if state["status"] == "draft" else str(state["number"])
