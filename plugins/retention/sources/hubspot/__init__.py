"""HubSpot: companies, contacts, meetings, tickets, deals, goals and tasks of the CRM.

A full load reads the object lists, which show only the present state. A window reads the search.
Neither returns archived objects: a separate list does, and they arrive as deleted. ``updatedAt`` is
the time of a version, ``archivedAt`` that of a deletion. A changed association does not change the
timestamp of its objects, and data erased for privacy vanishes without a trace. So once a week
(``REFRESH``) a window reads the lists with associations, and records missing from them are deleted.

Each stream requests the properties that staging reads, no others; a test compares them.

Settings in the connection's extra: ``properties`` {stream: [names]} for additional properties,
``objects`` {"goals": "2-..."} for the portal's id of the goal object, ``portal_timezone`` for the
reset hour of the daily quota, and ``refresh_token``, ``client_id``, ``client_secret`` for an OAuth
token.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from pydantic import BaseModel

from retention.source import Connection, Record, Rejected, Source, Stream
from retention.sources.extraction import Extraction, Reading
from retention.sources.hubspot import records
from retention.sources.hubspot.associations import with_associations
from retention.sources.hubspot.lists import archived, listed, owners
from retention.sources.hubspot.objects import REFRESH, changed_at, refresh_is_due
from retention.sources.hubspot.search import searched
from retention.sources.hubspot.token import client_for
from retention.window import Window


def extract(connection: Connection, stream: Stream, window: Window) -> Extraction:
    """Yield the objects changed in the window, or all without a start; archived as deleted."""
    reading = Reading("hubspot", connection, stream, window, client_for(connection))
    return Extraction(reading, _objects(reading))


def extract_owners(connection: Connection, stream: Stream, window: Window) -> Extraction:
    """Yield every owner each time: there are few, and the API has no filter."""
    reading = Reading("hubspot", connection, stream, window, client_for(connection))
    return Extraction(reading, owners(reading))


def _objects(reading: Reading) -> Iterator[Record | Rejected]:
    rows = listed(reading) if refresh_is_due(reading) else searched(reading)
    for doc, position in with_associations(reading, rows):
        yield reading.record(doc, position, changed_at(doc))
    yield from archived(reading)


def _stream(
    name: str,
    record: type[BaseModel],
    properties: str,
    *,
    object_type: str = "",
    associations: tuple[str, ...] = ("companies",),
) -> Stream:
    changed = "lastmodifieddate" if name == "contacts" else "hs_lastmodifieddate"
    return Stream(
        name=name,
        record=record,
        extract=extract,
        updated_at="updatedAt",
        # The search index lags by minutes; the daily load rereads one hour.
        overlap=timedelta(hours=1),
        deletes="listing",
        extra={
            "object": object_type or name,
            "changed": changed,
            "properties": (*properties.split(), changed),
            "associations": associations,
            "association_refresh": REFRESH,
        },
    )


SOURCE = Source(
    name="hubspot",
    conn_id="hubspot_api",
    schedule="0 0 * * *",
    freshness=timedelta(hours=27),
    owner="customer-success",
    pool="hubspot",
    doc=__doc__,
    streams=(
        Stream(
            name="owners",
            record=records.Owner,
            extract=extract_owners,
            updated_at="updatedAt",
            deletes="listing",
        ),
        _stream(
            "companies",
            records.Company,
            "name domain industry country timezone customer_segment hubspot_owner_id createdate "
            "hs_parent_company_id hs_merged_object_ids csm_sentiment notice_period_days "
            "nps_invites_total nps_last_invited_on",
            associations=(),
        ),
        _stream(
            "contacts",
            records.Contact,
            "email firstname lastname customer_role left_company_on createdate",
        ),
        _stream(
            "meetings",
            records.Meeting,
            "hs_meeting_title hs_meeting_start_time hs_meeting_outcome hs_activity_type "
            "document_url hs_createdate hubspot_owner_id review_sections risk_tags "
            "next_action next_action_owner next_action_due_on",
            associations=("companies", "contacts"),
        ),
        _stream(
            "tickets",
            records.Ticket,
            "subject hs_pipeline_stage hs_ticket_priority hs_ticket_category source_type "
            "createdate first_agent_reply_date first_auto_reply_date closed_date "
            "prioritized_on implemented_on customer_informed_on "
            "hs_conversations_originating_thread_id",
            associations=("companies", "contacts"),
        ),
        _stream(
            "deals",
            records.Deal,
            "dealname dealstage amount deal_currency_code createdate closedate dealtype "
            "closed_lost_reason hs_is_closed hs_is_closed_won",
        ),
        _stream(
            "goals",
            records.Goal,
            "goal_name baseline target current_value due_on closed_on status hs_createdate",
            object_type="2-9001",
        ),
        _stream(
            "tasks",
            records.Task,
            "hs_task_subject hs_task_status hs_timestamp hs_createdate hs_task_completion_date "
            "survey_response_id document_url hubspot_owner_id",
            associations=("companies", "contacts"),
        ),
    ),
)
