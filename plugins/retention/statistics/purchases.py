"""Who buys again, for companies that sell by the order, where no contract says who is lost."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from retention.statistics.base import exact


@dataclass(frozen=True)
class RepeatPurchase:
    """Customers with one purchase or more, and those of them with two or more."""

    customers: int
    returning: int

    @property
    def rate(self) -> Decimal | None:
        """The share that came back; None where nobody bought."""
        return exact(self.returning / self.customers, 6) if self.customers else None


def repeat_purchase(
    purchases: Iterable[tuple[Hashable, date]], counted: Literal["orders", "days"] = "days"
) -> RepeatPurchase:
    """Count the customers and those who came back, from (customer, day) of each order.

    By ``days`` several orders of one day are one visit, so an order split in two is no return;
    by ``orders`` each counts, also two that are alike.
    """
    found: dict[Hashable, list[date]] = defaultdict(list)
    for customer, day in purchases:
        found[customer].append(day)
    visits = [len(set(days)) if counted == "days" else len(days) for days in found.values()]
    return RepeatPurchase(len(visits), sum(count > 1 for count in visits))
