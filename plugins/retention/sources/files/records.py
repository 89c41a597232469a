"""Define the canonical streams: the contract between a folder of files and staging."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from retention.sources.files.kinds import (
    SURVEY_SCALES,
    AccountId,
    ActionKind,
    ContactId,
    Count,
    Country,
    Currency,
    Day,
    DealKind,
    Decisive,
    Flag,
    GoalStatus,
    Hours,
    Id,
    Instant,
    InvoiceKind,
    InvoiceStatus,
    MeetingKind,
    Money,
    Number,
    Outcome,
    OwnerId,
    Points,
    Price,
    Priority,
    Rate,
    Role,
    SubscriptionId,
    Survey,
    Text,
    TicketStatus,
    flawed,
    within,
)


class CanonicalRecord(BaseModel):
    """A document with every field of its stream; null where the files have no value."""

    model_config = ConfigDict(extra="forbid")


class Account(CanonicalRecord):
    account_id: Id
    name: Text | None = None
    industry: Text | None = None
    segment: Text | None = None
    plan: Text | None = None
    country: Country | None = None
    region: Text | None = None
    time_zone: Text | None = Field(default=None, description="such as Europe/Berlin")
    owner_id: OwnerId | None = None
    parent_account_id: AccountId | None = None
    merged_account_ids: Text | None = Field(
        default=None, description="accounts that became this one, separated by semicolons"
    )
    is_deleted: Annotated[Flag | None, Decisive()] = Field(
        default=None, description="a deleted account keeps its history"
    )
    signed_up_on: Day | None = None
    seats: Count | None = None
    notice_days: Count | None = None
    annual_budget_amount: Price | None = Field(
        default=None,
        description="the customer's yearly spend on everything this company could sell to it",
    )
    claimed_churned: Flag | None = Field(
        default=None, description="as claimed by the file; the marts derive churn from the terms"
    )


class Contact(CanonicalRecord):
    contact_id: Id
    account_id: AccountId
    email: Text | None = None
    name: Text | None = None
    role: Role | None = None
    created_on: Day | None = None
    left_on: Annotated[Day | None, Decisive()] = None
    is_deleted: Annotated[Flag | None, Decisive()] = Field(
        default=None, description="deleted contact; its role was held until left_on"
    )


class Owner(CanonicalRecord):
    owner_id: Id
    name: Text | None = None
    email: Text | None = None


class Meeting(CanonicalRecord):
    meeting_id: Id
    account_id: AccountId
    contact_id: ContactId | None = None
    contact_ids: Text | None = Field(
        default=None, description="all invited contacts, separated by semicolons"
    )
    owner_id: OwnerId | None = None
    title: Text | None = None
    kind: MeetingKind | None = None
    starts_at: Annotated[Instant | None, Decisive()] = None
    outcome: Annotated[Outcome | None, Decisive()] = None
    has_document: Flag | None = None
    document_id: Text | None = Field(
        default=None, description="id or link of the document or the notes"
    )
    review_sections: Text | None = Field(
        default=None,
        description="sections of a review's document, separated by semicolons: "
        "results, kpi_vs_plan, next_plans, goal_changes",
    )
    risk_tags: Text | None = Field(
        default=None, description="risks noted, separated by semicolons, such as budget_risk"
    )
    next_action: Text | None = None
    next_action_owner_id: Id | None = None
    next_action_due_on: Day | None = None


class Deal(CanonicalRecord):
    deal_id: Id
    account_id: AccountId
    name: Text | None = None
    kind: DealKind | None = None
    stage: Text | None = None
    amount: Money | None = None
    currency: Currency | None = None
    created_on: Day | None = None
    closes_on: Annotated[Day | None, Decisive()] = None
    is_closed: Annotated[Flag | None, Decisive()] = None
    is_won: Annotated[Flag | None, Decisive()] = None
    lost_reason: Text | None = None


class Goal(CanonicalRecord):
    goal_id: Id
    account_id: AccountId
    name: Text | None = None
    baseline: Number | None = None
    target: Number | None = None
    current_value: Number | None = None
    created_on: Day | None = None
    due_on: Day | None = None
    closed_on: Annotated[Day | None, Decisive()] = None
    status: Annotated[GoalStatus | None, Decisive()] = None


class Ticket(CanonicalRecord):
    ticket_id: Id
    account_id: AccountId
    subject: Text | None = None
    priority: Priority | None = None
    opening_priority: Priority | None = Field(
        default=None, description="priority at opening; default: the first value loaded"
    )
    channel: Text | None = None
    category: Text | None = None
    status: Annotated[TicketStatus | None, Decisive()] = None
    opened_at: Annotated[Instant | None, Decisive()] = None
    first_reply_at: Instant | None = None
    first_auto_reply_at: Instant | None = Field(
        default=None, description="first_reply_at at this instant is an automatic reply"
    )
    thread_id: Text | None = Field(
        default=None, description="tickets of one conversation share it and are counted once"
    )
    closed_at: Annotated[Instant | None, Decisive()] = None
    resolution_hours: Hours | None = Field(default=None, description="as stated in the file")
    satisfaction_score: Points | None = None
    satisfaction_scale: Points | None = Field(
        default=None, description="the highest possible score"
    )

    @model_validator(mode="after")
    def in_order(self) -> Ticket:
        if self.opened_at and self.closed_at and self.closed_at < self.opened_at:
            raise flawed(
                "closed_before_opened", "closed_at", "the ticket was closed before it was opened"
            )
        if self.satisfaction_score is not None and self.satisfaction_scale is not None:
            within("satisfaction_score", self.satisfaction_score, 0, self.satisfaction_scale)
        return self


class Subscription(CanonicalRecord):
    """A subscription term, half-open: in force on its start date, not on its end date."""

    subscription_id: Id
    account_id: AccountId
    product: Text | None = None
    starts_on: Day
    ends_on: Annotated[Day | None, Decisive()] = None
    mrr_amount: Price = Field(description="per month, net of discount, in major units")
    currency: Currency
    quantity: Number | None = None
    unit: Text | None = None
    billing_period_months: Count | None = None
    is_trial: Annotated[Flag | None, Decisive()] = None
    is_add_on: Annotated[Flag | None, Decisive()] = None
    is_upgrade: Flag | None = None
    is_downgrade: Flag | None = None
    contract_id: Text | None = Field(
        default=None, description="contract of consecutive or parallel terms"
    )
    cancel_requested_on: Day | None = Field(
        default=None, description="day on which the customer gave notice"
    )
    cancellation_reason: Text | None = None
    cancellation_feedback: Text | None = None
    claimed_churned: Flag | None = None
    discount_rate: Rate | None = None
    auto_renews: Flag | None = None
    contract_ends_on: Day | None = Field(
        default=None, description="end of a multi-year agreement that outlasts the billed term"
    )

    @model_validator(mode="after")
    def in_order(self) -> Subscription:
        if self.ends_on is not None and self.ends_on < self.starts_on:
            message = f"it ends on {self.ends_on}, before it starts on {self.starts_on}"
            raise flawed("end_before_start", "ends_on", message)
        return self


class Invoice(CanonicalRecord):
    invoice_id: Id
    account_id: AccountId
    subscription_id: SubscriptionId | None = None
    contract_id: Text | None = None
    status: Annotated[InvoiceStatus | None, Decisive()] = None
    currency: Currency
    total_amount: Money
    # The part of the total that does not recur: setup, training.
    one_off_amount: Annotated[Money | None, Decisive()] = None
    paid_amount: Annotated[Money | None, Decisive()] = None
    issued_on: Annotated[Day | None, Decisive()] = None
    due_on: Annotated[Day | None, Decisive()] = None
    paid_on: Annotated[Day | None, Decisive()] = None
    written_off_on: Annotated[Day | None, Decisive()] = None
    failed_attempts: Count | None = None
    kind: Annotated[InvoiceKind | None, Decisive()] = None

    @model_validator(mode="after")
    def only_credit_notes_are_negative(self) -> Invoice:
        if self.total_amount < 0 and self.kind != "credit_note":
            message = f"{self.total_amount} is negative and the kind is not credit_note"
            raise flawed("negative_amount", "total_amount", message)
        return self


class SurveyResponse(CanonicalRecord):
    response_id: Id
    survey: Survey
    account_id: AccountId
    contact_id: ContactId | None = None
    respondent_email: Text | None = None
    score: Points
    scale_min: Annotated[Points | None, Decisive()] = None
    scale_max: Annotated[Points | None, Decisive()] = None
    reason: Text | None = None
    next_step: Text | None = Field(default=None, description="what would raise the score to 10")
    answered_at: Instant

    @model_validator(mode="after")
    def score_is_on_the_scale(self) -> SurveyResponse:
        lowest, highest = SURVEY_SCALES[self.survey]
        if self.survey != "nps":
            lowest = lowest if self.scale_min is None else self.scale_min
            highest = highest if self.scale_max is None else self.scale_max
        within("score", self.score, lowest, highest)
        return self


class SurveyInvite(CanonicalRecord):
    """An invitation to a survey; without invitations, non-response is unknown."""

    invite_id: Id
    survey: Survey
    account_id: AccountId
    contact_id: ContactId | None = None
    invited_on: Day


class FeedbackItem(CanonicalRecord):
    """A customer's request and its status: raised, prioritized, implemented, communicated."""

    feedback_id: Id
    account_id: AccountId
    contact_id: ContactId | None = None
    response_id: Text | None = Field(default=None, description="the survey response that raised it")
    raised_on: Day
    prioritized_on: Day | None = None
    implemented_on: Day | None = None
    informed_on: Day | None = None


class Action(CanonicalRecord):
    """Work for a customer: planned with an owner and a due date, or completed."""

    action_id: Id
    account_id: AccountId
    kind: ActionKind
    response_id: Text | None = Field(
        default=None, description="the survey response that triggered it"
    )
    owner_id: OwnerId | None = None
    created_at: Instant | None = None
    due_at: Instant | None = None
    completed_at: Annotated[Instant | None, Decisive()] = None


class ChurnEvent(CanonicalRecord):
    churn_event_id: Id
    account_id: AccountId
    churned_on: Day
    reason: Text | None = None
    is_reactivation: Annotated[Flag | None, Decisive()] = None
    claims_earlier_upgrade: Flag | None = None
    refund_amount: Price | None = None
    currency: Currency | None = None
    feedback: Text | None = None


class UsageEvent(CanonicalRecord):
    """One user action. Events take the bulk path and are stored as daily counts."""

    event_id: Id
    feature: Text
    account_id: AccountId
    user_id: Text | None = None
    subscription_id: SubscriptionId | None = None
    occurred_at: Instant
    received_at: Instant | None = None
    quantity: Number | None = None


RECORDS: dict[str, type[CanonicalRecord]] = {
    "accounts": Account,
    "contacts": Contact,
    "owners": Owner,
    "meetings": Meeting,
    "deals": Deal,
    "goals": Goal,
    "tickets": Ticket,
    "subscriptions": Subscription,
    "invoices": Invoice,
    "survey_responses": SurveyResponse,
    "survey_invites": SurveyInvite,
    "feedback_items": FeedbackItem,
    "actions": Action,
    "churn_events": ChurnEvent,
    "usage_events": UsageEvent,
}
