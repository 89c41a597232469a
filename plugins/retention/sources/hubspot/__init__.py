"""HubSpot: accounts, people, meetings, tickets, deals, goals and tasks of the CRM.

All of history comes from the object lists, which have no end but only know the present; a
window comes from the search. Neither knows an archived object: those have a list of their
own and arrive as deleted. ``updatedAt`` is the time of a version, ``archivedAt`` that of a
deletion. No change of an association moves the time stamp of the objects it joins, and what
is erased for privacy vanishes without a trace; so once a week (``REFRESH``) a window is read
from the lists, associations and all, and what they lack is gone.

Settings in the connection's extra: ``properties`` {stream: [names]} to fetch more of them,
``objects`` {"goals": "2-..."} for the portal's own number of the goal object,
``portal_timezone`` for the hour at which the daily quota returns, and
``refresh_token``, ``client_id``, ``client_secret`` where the token is one of OAuth.
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
    """The objects changed in the window; with no start, all there are; archived ones deleted."""
    reading = Reading("hubspot", connection, stream, window, client_for(connection))
    return Extraction(reading, _objects(reading))


def extract_owners(connection: Connection, stream: Stream, window: Window) -> Extraction:
    """Every owner, each time: there are few, and nothing to filter them by."""
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
        # The search index is minutes behind; an hour is what the daily load reads twice.
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
            "hs_parent_company_id hs_merged_object_ids lifecyclestage numberofemployees city "
            "website csm_sentiment notice_period_days nps_invites_total nps_last_invited_on",
            associations=(),
        ),
        _stream(
            "contacts",
            records.Contact,
            "email firstname lastname jobtitle customer_role left_company_on createdate "
            "hubspot_owner_id lifecyclestage hs_merged_object_ids company hs_email_bounce",
        ),
        _stream(
            "meetings",
            records.Meeting,
            "hs_meeting_title hs_meeting_start_time hs_meeting_end_time hs_meeting_outcome "
            "hs_activity_type document_url hs_createdate hs_timestamp hubspot_owner_id "
            "review_sections risk_tags",
            associations=("companies", "contacts"),
        ),
        _stream(
            "tickets",
            records.Ticket,
            "subject content hs_pipeline hs_pipeline_stage hs_ticket_priority hs_ticket_category "
            "source_type createdate first_agent_reply_date closed_date hubspot_owner_id "
            "implemented_on customer_informed_on first_auto_reply_date "
            "hs_conversations_originating_thread_id",
            associations=("companies", "contacts"),
        ),
        _stream(
            "deals",
            records.Deal,
            "dealname dealstage pipeline amount deal_currency_code createdate closedate dealtype "
            "closed_lost_reason hs_is_closed hs_is_closed_won hubspot_owner_id",
        ),
        _stream(
            "goals",
            records.Goal,
            "goal_name baseline target current_value due_on status hs_createdate",
            object_type="2-9001",
        ),
        _stream(
            "tasks",
            records.Task,
            "hs_task_subject hs_task_status hs_task_priority hs_task_body hs_timestamp "
            "hs_createdate hs_task_type hs_task_completion_date survey_response_id "
            "hubspot_owner_id",
            associations=("companies", "contacts"),
        ),
    ),
)
