"""Contracts of HubSpot's CRM objects and owners."""

from __future__ import annotations

from pydantic import Field

from retention.sources.contracts.fields import (
    Document,
    Id,
    MaybeCurrency,
    MaybeFlag,
    MaybeId,
    MaybeMoment,
    MaybeNumber,
    MaybeSentiment,
    MaybeWhole,
    Moment,
)


class Related(Document):
    """The other object of an association."""

    id: Id


class RelatedList(Document):
    results: list[Related] = Field(default_factory=list)


class Owner(Document):
    id: Id
    created_at: Moment = Field(alias="createdAt")
    updated_at: Moment = Field(alias="updatedAt")
    archived: bool = False


class CrmObject(Owner):
    """An object as lists and search return it, with its associations."""

    associations: dict[str, RelatedList] = Field(default_factory=dict)


class CompanyProperties(Document):
    createdate: MaybeMoment = None
    hubspot_owner_id: MaybeId = None
    csm_sentiment: MaybeSentiment = None
    notice_period_days: MaybeWhole = None
    nps_invites_total: MaybeWhole = None
    nps_last_invited_on: MaybeMoment = None


class Company(CrmObject):
    properties: CompanyProperties


class ContactProperties(Document):
    createdate: MaybeMoment = None
    left_company_on: MaybeMoment = None


class Contact(CrmObject):
    properties: ContactProperties


class MeetingProperties(Document):
    hs_meeting_start_time: MaybeMoment = None
    hs_createdate: MaybeMoment = None
    hubspot_owner_id: MaybeId = None
    next_action_due_on: MaybeMoment = None


class Meeting(CrmObject):
    properties: MeetingProperties


class TicketProperties(Document):
    createdate: MaybeMoment = None
    first_agent_reply_date: MaybeMoment = None
    first_auto_reply_date: MaybeMoment = None
    closed_date: MaybeMoment = None
    prioritized_on: MaybeMoment = None
    implemented_on: MaybeMoment = None
    customer_informed_on: MaybeMoment = None


class Ticket(CrmObject):
    properties: TicketProperties


class DealProperties(Document):
    """Properties of a deal. HubSpot allows a negative amount; it is a downgrade."""

    createdate: MaybeMoment = None
    closedate: MaybeMoment = None
    amount: MaybeNumber = None
    deal_currency_code: MaybeCurrency = None
    hs_is_closed: MaybeFlag = None
    hs_is_closed_won: MaybeFlag = None


class Deal(CrmObject):
    properties: DealProperties


class GoalProperties(Document):
    baseline: MaybeNumber = None
    target: MaybeNumber = None
    current_value: MaybeNumber = None
    due_on: MaybeMoment = None
    closed_on: MaybeMoment = None
    hs_createdate: MaybeMoment = None


class Goal(CrmObject):
    properties: GoalProperties


class TaskProperties(Document):
    hs_timestamp: MaybeMoment = None
    hs_createdate: MaybeMoment = None
    hs_task_completion_date: MaybeMoment = None
    hubspot_owner_id: MaybeId = None


class Task(CrmObject):
    properties: TaskProperties
