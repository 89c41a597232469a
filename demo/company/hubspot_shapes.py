"""What each HubSpot object shows: its properties, all of them text, and its associations."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from demo.company.clock import as_datetime
from demo.company.customer import Customer
from demo.company.facts import State
from demo.company.versions import Doc

Properties = dict[str, str | None]
Links = dict[str, Iterable[str]]
Shape = Callable[[Customer, State], tuple[Properties, Links]]

SINGULAR = {
    "companies": "company", "contacts": "contact", "meetings": "meeting_event", "tickets": "ticket",
    "deals": "deal", "tasks": "task", "goals": "goal",
}  # fmt: skip


def stamp(at: float) -> str:
    """An instant as HubSpot writes it, with milliseconds where there are any."""
    base = as_datetime(at).strftime("%Y-%m-%dT%H:%M:%S")
    millis = round(at * 1000) % 1000
    return f"{base}.{millis:03d}Z" if millis else f"{base}Z"


def moment(at: int | None) -> str | None:
    """An optional instant as a property."""
    return None if at is None else stamp(at)


def text(value: Any) -> str | None:
    """Any fact as a property value."""
    return None if value is None else str(value)


def associations(stream: str, links: Links) -> Doc:
    """The block of the objects API; a primary company is listed with both of its types."""
    block: Doc = {}
    for other, keys in links.items():
        kind = f"{SINGULAR[stream]}_to_{SINGULAR[other]}"
        results = []
        for key in keys:
            results.append({"id": key, "type": kind})
            if other == "companies" and stream in ("contacts", "deals", "tickets"):
                results.append({"id": key, "type": f"{kind}_unlabeled"})
        if results:
            block[other] = {"results": results}
    return block


def of_company(customer: Customer, *people: str | None) -> Links:
    """Linked to the customer's company and to some of its contacts."""
    return {
        "companies": [customer.profile.company_id],
        "contacts": [person for person in people if person],
    }


def company(customer: Customer, state: State) -> tuple[Properties, Links]:
    """A company; the ``nps_`` properties tell of the latest wave of invitations."""
    profile = customer.profile
    return {
        "name": state["name"], "domain": state["domain"],
        "website": state["domain"] and f"https://{profile.domain}",
        "industry": profile.industry, "country": profile.country, "city": profile.city,
        "timezone": profile.zone, "numberofemployees": str(profile.employees),
        "customer_segment": profile.segment, "hubspot_owner_id": state["owner"],
        "lifecyclestage": state["stage"], "notice_period_days": str(profile.notice_days),
        "hs_parent_company_id": state["parent"], "hs_merged_object_ids": state["merged"],
        "csm_sentiment": text(state.get("sentiment")),
        "nps_last_invited_on": state.get("invited_on"),
        "nps_invites_total": text(state.get("invites")),
    }, {}  # fmt: skip


def contact(customer: Customer, state: State) -> tuple[Properties, Links]:
    """A person; ``left_company_on`` is known only once somebody noticed."""
    return {
        "firstname": state["first"], "lastname": state["last"], "email": state["email"],
        "jobtitle": state["title"], "customer_role": state["role"],
        "left_company_on": state["left_on"], "company": customer.profile.name,
        "hs_email_bounce": "1" if state["bounced"] else None, "lifecyclestage": "customer",
        "hs_merged_object_ids": ";".join(state["merged"]) or None,
    }, {"companies": [customer.profile.company_id]}  # fmt: skip


def meeting(customer: Customer, state: State) -> tuple[Properties, Links]:
    """A meeting; ``review_sections`` lists what a review's document covers."""
    return {
        "hs_meeting_title": state["title"], "hs_meeting_start_time": stamp(state["start"]),
        "hs_meeting_end_time": stamp(state["end"]), "hs_timestamp": stamp(state["start"]),
        "hs_meeting_outcome": state["outcome"], "hs_activity_type": state["type"],
        "hubspot_owner_id": state["owner"], "document_url": state["document"],
        "review_sections": state["sections"], "risk_tags": state["risks"],
    }, of_company(customer, *state["people"])  # fmt: skip


def ticket(customer: Customer, state: State) -> tuple[Properties, Links]:
    """A ticket of the support pipeline: 1 new, 2 waiting on contact, 3 waiting on us, 4 closed."""
    return {
        "subject": state["subject"], "content": None, "hs_pipeline": "0",
        "hs_pipeline_stage": state["stage"], "hs_ticket_priority": state["priority"],
        "hs_ticket_category": state["category"], "source_type": state["channel"],
        "first_agent_reply_date": moment(state["replied"]), "closed_date": moment(state["closed"]),
        "hubspot_owner_id": state["owner"], "implemented_on": state["implemented_on"],
        "customer_informed_on": state["informed_on"],
        "first_auto_reply_date": moment(state["auto_replied"]),
        "hs_conversations_originating_thread_id": state["thread"],
    }, of_company(customer, state["person"])  # fmt: skip


def deal(customer: Customer, state: State) -> tuple[Properties, Links]:
    """A deal; the amount is a year's worth in the customer's currency."""
    won, lost = state["stage"] == "closedwon", state["stage"] == "closedlost"
    return {
        "dealname": state["name"], "dealstage": state["stage"], "dealtype": state["type"],
        "pipeline": "default", "amount": state["amount"], "closedate": moment(state["closes"]),
        "deal_currency_code": customer.profile.currency.upper(), "hubspot_owner_id": state["owner"],
        "hs_is_closed": "true" if won or lost else "false",
        "hs_is_closed_won": "true" if won else "false", "closed_lost_reason": state["lost"],
    }, of_company(customer)  # fmt: skip


def goal(customer: Customer, state: State) -> tuple[Properties, Links]:
    """A goal, the custom object ``2-9001``."""
    return {
        "goal_name": state["name"], "baseline": text(state["baseline"]),
        "target": text(state["target"]), "current_value": text(state["current"]),
        "due_on": state["due_on"], "status": state["status"],
    }, of_company(customer)  # fmt: skip


def task(customer: Customer, state: State) -> tuple[Properties, Links]:
    """A follow-up; ``survey_response_id`` names the survey response that triggered it."""
    return {
        "hs_task_subject": state["subject"], "hs_task_body": None, "hs_task_type": state["type"],
        "hs_task_status": state["status"], "hs_task_priority": state["priority"],
        "hs_timestamp": stamp(state["due"]), "hubspot_owner_id": state["owner"],
        "hs_task_completion_date": moment(state["completed"]),
        "survey_response_id": state["response"],
    }, of_company(customer, state["person"])  # fmt: skip


# stream -> (kind of fact, shape)
SHAPES: dict[str, tuple[str, Shape]] = {
    "companies": ("company", company), "contacts": ("contact", contact),
    "meetings": ("meeting", meeting), "tickets": ("ticket", ticket), "deals": ("deal", deal),
    "goals": ("goal", goal), "tasks": ("task", task),
}  # fmt: skip
