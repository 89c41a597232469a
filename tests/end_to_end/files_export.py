"""The facts of a built company as a folder of files, the way a company without APIs keeps them."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from psycopg import sql

from retention.settings import Settings
from retention.warehouse import Warehouse
from retention.warehouse.keyring import PSEUDONYM_KEY, secret

# One query a stream. Its columns are the canonical fields of `retention/sources/files/records.py`.
FACTS = {
    "accounts": """
        select source_key as account_id, account_name as name, industry, segment, country,
            timezone as time_zone, owner_id, parent_source_key as parent_account_id,
            array_to_string(merged_source_keys, ';') as merged_account_ids, is_deleted,
            signed_up_date as signed_up_on, notice_days
        from staging.int_accounts""",
    # Of what was said when, a file keeps the last: until when a role was held, and since when
    # that is known.
    "contacts": """
        select contact_id, account_key as account_id, email, contact_name as name,
            contact_role as role, created_date as created_on,
            coalesce(left_date, ends_date) as left_on, is_deleted,
            coalesce(ends_known_date, created_date) as updated_at
        from staging.int_contacts
        left join (
            select contact_id, max(ends_date) as ends_date, max(ends_known_date) as ends_known_date
            from staging.int_contact_roles group by contact_id
        ) as roles using (contact_id)
        where account_key is not null""",
    "owners": "select csm_id as owner_id, csm_name as name from staging.int_owners",
    "meetings": """
        select meeting_id, account_key as account_id, csm_id as owner_id, title,
            meeting_kind as kind, nullif(outcome, 'unknown') as outcome, starts_at, has_document,
            document_reference as document_id, next_action, next_action_owner_id,
            next_action_due_date as next_action_due_on,
            array_to_string(array(select jsonb_array_elements_text(contact_ids)), ';')
                as contact_ids,
            array_to_string(array(select jsonb_array_elements_text(review_sections)), ';')
                as review_sections,
            array_to_string(array(select jsonb_array_elements_text(risk_tags)), ';') as risk_tags
        from staging.int_meeting_records where account_key is not null""",
    "deals": """
        select deal_id, customer_id as account_id, deal_kind as kind, deal_amount as amount,
            currency, lost_reason, is_closed, is_won, created_date as created_on,
            closes_date as closes_on
        from staging.int_deals where customer_id is not null""",
    "goals": """
        select goal_id, account_key as account_id, goal_name as name, baseline, target,
            current_value, created_date as created_on, due_date as due_on,
            closed_date as closed_on, case status when 'attained' then 'met' else status end
                as status
        from staging.int_goals where account_key is not null""",
    "tickets": """
        select ticket_id, account_key as account_id, priority, opening_priority, channel,
            category, opened_at, first_reply_at, first_auto_reply_at, thread_id, closed_at
        from staging.int_tickets where account_key is not null""",
    # A term is a stretch of days at one price: what was prorated, voided or metered is no term.
    "subscriptions": """
        select term_key as subscription_id, terms.customer_id as account_id,
            terms.subscription_key as contract_id, product, starts_date as starts_on,
            ends_date as ends_on, mrr_amount, currency, quantity, unit, billing_period_months,
            is_trial, auto_renews, requested_date as cancel_requested_on, cancellation_reason,
            cancellation_feedback
        from staging.int_subscription_terms as terms
        left join staging.int_cancellations as cancellations
            on terms.subscription_key = cancellations.subscription_key
        where ends_date >= starts_date""",
    "invoices": """
        select invoice_id, customer_id as account_id, subscription_key as contract_id, status,
            currency, total_amount, one_off_amount, issued_date as issued_on, due_date as due_on,
            paid_date as paid_on, written_off_date as written_off_on, failed_attempts,
            case when total_amount < 0 then 'credit_note' else 'invoice' end as kind
        from staging.int_invoices
        left join (
            select invoice_id,
                sum(amount_minor / power(10::numeric, exponent)) as one_off_amount
            from staging.int_stripe_invoice_lines inner join policy.currencies using (currency)
            where not is_recurring and not is_proration
            group by invoice_id
        ) as fees using (invoice_id)
        where customer_id is not null""",
    "survey_responses": """
        select response_id, survey, company_id as account_id, contact_id,
            (select max(doc #>> '{hidden,email}') from raw.typeform_responses
                where record_id = response_id) as respondent_email,
            score, scale_min, scale_max, reason, next_step, answered_at
        from staging.int_typeform_responses where score is not null and survey is not null""",
    "survey_invites": """
        select customer_id || ':' || survey || ':' || invited_date || ':' || number as invite_id,
            survey, customer_id as account_id, invited_date as invited_on
        from staging.int_survey_invites, generate_series(1, invite_count) as number""",
    "feedback_items": """
        select feedback_id, customer_id as account_id, response_id, raised_date as raised_on,
            prioritized_date as prioritized_on, implemented_date as implemented_on,
            informed_date as informed_on
        from staging.int_feedback_items""",
    "actions": """
        select activity_id as action_id, customer_id as account_id, activity_kind as kind,
            survey_response_id as response_id, owner_id, created_at, due_at,
            done_at as completed_at
        from staging.int_activities where activity_kind not in ('meeting', 'ticket')""",
}
USAGE = ("event_id", "account_id", "user_id", "feature", "occurred_at", "received_at", "quantity")


def export(wh: Warehouse, events: Path, folder: Path) -> Path:
    """Write every fact of the company into the folder, with the mapping that explains it."""
    folder.mkdir()
    fields = {stream: _written(wh, stream, folder) for stream in FACTS}
    fields["usage_events"] = list(USAGE)
    with (folder / "usage_events.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(USAGE)
        writer.writerows(_events(events))
    mapping = {stream: _rule(stream, names) for stream, names in fields.items()}
    (folder / "mapping.yml").write_text(yaml.safe_dump({"streams": mapping}))
    return folder


def _written(wh: Warehouse, stream: str, folder: Path) -> list[str]:
    """Write one stream; the names of its columns."""
    command = sql.SQL("copy ({}) to stdout (format csv, header)").format(sql.SQL(FACTS[stream]))
    path = folder / f"{stream}.csv"
    with path.open("wb") as file, wh.connect("transformer") as conn:
        conn.execute("set time zone 'UTC'")
        # As dbt's sessions have it: some facts are views down to the pseudonyms of staging.
        key = secret(wh.settings or Settings.from_env(), PSEUDONYM_KEY)
        conn.execute("select set_config('retention.pseudonym_key', %s, false)", [key])
        with conn.cursor().copy(command) as rows:
            file.writelines(rows)
    return path.read_text().partition("\n")[0].split(",")


def _rule(stream: str, names: list[str]) -> dict[str, Any]:
    """The mapping of a stream whose columns are called as its fields are."""
    rule: dict[str, Any] = {"file": f"{stream}.csv"}
    if "updated_at" in names:
        rule["updated_at"] = "updated_at"
    return rule | {"fields": {name: name for name in names if name != "updated_at"}}


def _events(exports: Path) -> Iterator[list[Any]]:
    for path in sorted(exports.glob("**/*.jsonl.gz")):
        with gzip.open(path, "rt") as lines:
            for event in map(json.loads, lines):
                said = event["properties"]
                account, quantity = said["$groups"]["company"], said.get("quantity")
                who = event["uuid"], account, event["distinct_id"], event["event"]
                yield [*who, event["timestamp"], event["created_at"], quantity]
