"""Compute the repeat purchase rate, for companies without contracts."""

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
    """Customers with at least one purchase, and those with at least two."""

    customers: int
    returning: int

    @property
    def rate(self) -> Decimal | None:
        """Return the share with a repeat purchase; None without customers."""
        return exact(self.returning / self.customers, 6) if self.customers else None


def repeat_purchase(
    purchases: Iterable[tuple[Hashable, date]], counted: Literal["orders", "days"] = "days"
) -> RepeatPurchase:
    """Count customers and repeat customers from (customer, day) of each order.

    By ``days``, several orders of one day count once, so a split order is not a repeat. By
    ``orders``, each counts, identical ones too.
    """
    found: dict[Hashable, list[date]] = defaultdict(list)
    for customer, day in purchases:
        found[customer].append(day)
    visits = [len(set(days)) if counted == "days" else len(days) for days in found.values()]
    return RepeatPurchase(len(visits), sum(count > 1 for count in visits))
