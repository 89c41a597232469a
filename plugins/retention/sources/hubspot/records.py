"""What the warehouse depends on in HubSpot's CRM objects and owners."""

from __future__ import annotations

from pydantic import Field

from retention.sources.contracts.fields import (
    Document,
    Id,
    MaybeAmount,
    MaybeCurrency,
    MaybeId,
    MaybeMoment,
    MaybeNumber,
    Moment,
)


class Related(Document):
    """The other end of an association."""

    id: Id


class RelatedList(Document):
    results: list[Related] = Field(default_factory=list)


class Owner(Document):
    id: Id
    created_at: Moment = Field(alias="createdAt")
    updated_at: Moment = Field(alias="updatedAt")
    archived: bool = False


class CrmObject(Owner):
    """An object of any type, as list and search show it, with its associations beside it."""

    associations: dict[str, RelatedList] = Field(default_factory=dict)


class CompanyProperties(Document):
    createdate: MaybeMoment = None
    hubspot_owner_id: MaybeId = None


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


class Meeting(CrmObject):
    properties: MeetingProperties


class TicketProperties(Document):
    createdate: MaybeMoment = None
    first_agent_reply_date: MaybeMoment = None
    first_auto_reply_date: MaybeMoment = None
    closed_date: MaybeMoment = None


class Ticket(CrmObject):
    properties: TicketProperties


class DealProperties(Document):
    createdate: MaybeMoment = None
    closedate: MaybeMoment = None
    amount: MaybeAmount = None
    deal_currency_code: MaybeCurrency = None


class Deal(CrmObject):
    properties: DealProperties


class GoalProperties(Document):
    baseline: MaybeNumber = None
    target: MaybeNumber = None
    current_value: MaybeNumber = None
    due_on: MaybeMoment = None


class Goal(CrmObject):
    properties: GoalProperties


class TaskProperties(Document):
    hs_timestamp: MaybeMoment = None
    hs_createdate: MaybeMoment = None
    hubspot_owner_id: MaybeId = None


class Task(CrmObject):
    properties: TaskProperties
