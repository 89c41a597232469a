"""The canonical streams: what a folder of files can feed, and the contract that staging reads."""

from __future__ import annotations

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
    Flag,
    GoalStatus,
    Id,
    Instant,
    InvoiceKind,
    InvoiceStatus,
    MeetingKind,
    Money,
    Number,
    Outcome,
    OwnerId,
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
    """A document holds every field of its stream, null where the files do not know it."""

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
    is_deleted: Flag | None = Field(default=None, description="its history stays a customer's")
    signed_up_on: Day | None = None
    seats: Count | None = None
    notice_days: Count | None = None
    annual_budget_amount: Price | None = Field(
        default=None, description="what the customer spends on all it could buy here, per year"
    )
    claimed_churned: Flag | None = Field(
        default=None, description="what the file claims; the marts decide from the terms"
    )


class Contact(CanonicalRecord):
    contact_id: Id
    account_id: AccountId
    email: Text | None = None
    name: Text | None = None
    role: Role | None = None
    created_on: Day | None = None
    left_on: Day | None = None
    is_deleted: Flag | None = Field(
        default=None, description="no contact any more; its role was held until left_on"
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
        default=None, description="all who were invited, separated by semicolons"
    )
    owner_id: OwnerId | None = None
    title: Text | None = None
    kind: MeetingKind | None = None
    starts_at: Instant | None = None
    outcome: Outcome | None = None
    has_document: Flag | None = None
    document_id: Text | None = Field(
        default=None, description="id or link of the document or the notes"
    )
    review_sections: Text | None = Field(
        default=None,
        description="what a review's document covers, separated by semicolons: "
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
    closes_on: Day | None = None
    is_closed: Flag | None = None
    is_won: Flag | None = None
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
    closed_on: Day | None = None
    status: GoalStatus | None = None


class Ticket(CanonicalRecord):
    ticket_id: Id
    account_id: AccountId
    subject: Text | None = None
    priority: Priority | None = None
    opening_priority: Priority | None = Field(
        default=None, description="what it came with; else what the first file said"
    )
    channel: Text | None = None
    category: Text | None = None
    status: TicketStatus | None = None
    opened_at: Instant | None = None
    first_reply_at: Instant | None = None
    first_auto_reply_at: Instant | None = Field(
        default=None, description="a reply at this very instant is no person's"
    )
    thread_id: Text | None = Field(
        default=None, description="tickets of one conversation share it and count once"
    )
    closed_at: Instant | None = None
    resolution_hours: Number | None = Field(default=None, description="as the file states it")
    satisfaction_score: Number | None = None
    satisfaction_scale: Number | None = Field(default=None, description="the best score there is")

    @model_validator(mode="after")
    def in_order(self) -> Ticket:
        if self.opened_at and self.closed_at and self.closed_at < self.opened_at:
            raise flawed("closed_before_opened", "closed_at", "the ticket closed before it opened")
        if self.satisfaction_score is not None and self.satisfaction_scale is not None:
            within("satisfaction_score", self.satisfaction_score, 0, self.satisfaction_scale)
        return self


class Subscription(CanonicalRecord):
    """A term, half-open: it is in force on the day it starts and not on the day it ends."""

    subscription_id: Id
    account_id: AccountId
    product: Text | None = None
    starts_on: Day
    ends_on: Day | None = None
    mrr_amount: Price = Field(description="per month, net of discount, in major units")
    currency: Currency
    quantity: Number | None = None
    unit: Text | None = None
    billing_period_months: Count | None = None
    is_trial: Flag | None = None
    is_add_on: Flag | None = None
    is_upgrade: Flag | None = None
    is_downgrade: Flag | None = None
    contract_id: Text | None = Field(
        default=None, description="what terms that follow or accompany each other belong to"
    )
    cancel_requested_on: Day | None = Field(
        default=None, description="when the customer said that the contract ends"
    )
    cancellation_reason: Text | None = None
    cancellation_feedback: Text | None = None
    claimed_churned: Flag | None = None
    discount_rate: Rate | None = None
    auto_renews: Flag | None = None
    contract_ends_on: Day | None = Field(
        default=None, description="where a frame of several years outlasts the billed term"
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
    status: InvoiceStatus | None = None
    currency: Currency
    total_amount: Money
    # The part of the total that no subscription repeats: setup, training.
    one_off_amount: Money | None = None
    paid_amount: Money | None = None
    issued_on: Day | None = None
    due_on: Day | None = None
    paid_on: Day | None = None
    written_off_on: Day | None = None
    failed_attempts: Count | None = None
    kind: InvoiceKind | None = None

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
    score: Number
    scale_min: Number | None = None
    scale_max: Number | None = None
    reason: Text | None = None
    next_step: Text | None = Field(default=None, description="what would make it a 10")
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
    """Somebody was asked; silence is only known where invitations are."""

    invite_id: Id
    survey: Survey
    account_id: AccountId
    contact_id: ContactId | None = None
    invited_on: Day


class FeedbackItem(CanonicalRecord):
    """A wish of a customer and its life: raised, prioritized, implemented, told."""

    feedback_id: Id
    account_id: AccountId
    contact_id: ContactId | None = None
    response_id: Text | None = Field(default=None, description="the answer it was raised in")
    raised_on: Day
    prioritized_on: Day | None = None
    implemented_on: Day | None = None
    informed_on: Day | None = None


class Action(CanonicalRecord):
    """What somebody does for a customer: planned with an owner and a date, or done."""

    action_id: Id
    account_id: AccountId
    kind: ActionKind
    response_id: Text | None = Field(default=None, description="the answer that called for it")
    owner_id: OwnerId | None = None
    created_at: Instant | None = None
    due_at: Instant | None = None
    completed_at: Instant | None = None


class ChurnEvent(CanonicalRecord):
    churn_event_id: Id
    account_id: AccountId
    churned_on: Day
    reason: Text | None = None
    is_reactivation: Flag | None = None
    claims_earlier_upgrade: Flag | None = None
    refund_amount: Price | None = None
    currency: Currency | None = None
    feedback: Text | None = None


class UsageEvent(CanonicalRecord):
    """One thing a user did; these take the bulk path and are stored per day, not per event."""

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
