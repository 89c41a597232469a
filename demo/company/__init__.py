"""A simulated B2B software company whose truth is known.

``simulate()`` lives every customer's life day by day and writes down neutral facts; renderers
turn the facts into the documents that the vendors' APIs would show, version by version.

Vendor and streams
    hubspot    owners companies contacts meetings tickets deals goals (2-9001) tasks
    stripe     customers subscriptions invoices charges refunds products prices coupons events
    typeform   forms responses
    posthog    ``World.events``, one row per event received

Satisfaction is hidden. It wanders slowly around how well the product fits, falls when a champion
leaves, help is slow, a goal is missed or prices rise, and recovers with reviews held, goals
reached and detractors called back. It drives usage, answers, tickets, cancelled meetings, late
payment, expansion and leaving; some leave content and silent, some stay though unhappy.

The MRR policy of ``World.truth``, per customer, currency and month end

    ================== =====================================================================
    counted            the normalised monthly amount of every item of a subscription in force
                       at the end of the month's last day (UTC): price x quantity / months
    yearly terms       a twelfth, every month of the term
    trial              nothing before its end, nothing ever if it does not convert
    coupon             taken off while it applies: once = its first period, repeating = its
                       periods, for ever = always; a change in mid-period keeps a percentage
                       (not one used once)
    fixed-sum coupon   taken off the subscription's monthly amount in the periods it applies to
    mid-period change  counts from its moment on, whatever was invoiced for the rest
    change at renewal  counts from the new period on
    pause              nothing while collection is paused (``pause_collection``, void)
    past due           counted as long as the subscription is in force
    cancelled          counted until ``ended_at``, also when announced long before
    unpaid             counted until the subscription ends for it, then gone (involuntary)
    refund, credit     changes nothing
    one-off fee        never counted
    return             a new subscription of the same customer, counted from its start
    ================== =====================================================================

How the same follows from Stripe's documents alone (proved by ``test_company.py``)

    1. Take the lines of all invoices that are not ``void``, that belong to a subscription item
       and do not start before the subscription's ``trial_end``.
    2. Per subscription item, group lines by ``period.start``. The newest group begun before the
       end of the day says what is in force. Leave out credits (``proration_details.
       credited_items`` is set, the amount is negative): a group of credits alone means that the
       item was removed. Leave out lines whose period is over: a gap, such as a pause, is nothing.
    3. A line is worth (``price.unit_amount`` x ``quantity`` - discount) / months of the interval.
       The discount of a whole period is the sum of its ``discount_amounts``; that of a proration
       is ``percent_off`` of the invoice's coupon if the line has any, because such a line's own
       amounts cover only the rest of the period.
    4. Nothing counts after the subscription's ``ended_at``.

Why that is enough: every period of every item in force is covered by a line of an invoice that is
not void; a change in mid-period is a credit of the old and a debit of the new, both from the moment
of the change; a pause begins and ends at a period's boundary and its invoices are void; a fixed-sum
coupon and a change in mid-period never meet. All prices are multiples that make every monthly
amount a whole number of minor units.
"""
