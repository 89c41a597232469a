"""Compute statistics in Python, between the two halves of a build.

To add one, declare it in a module here, list it below, and read its table through
``source('statistics', <name>)`` in a dbt model tagged ``statistics``.
"""

from __future__ import annotations

from retention.statistics.backtest import BACKTEST
from retention.statistics.base import Inputs, Statistic, exact
from retention.statistics.churn import CHURN
from retention.statistics.lifetime import LIFETIME
from retention.statistics.survival import SURVIVAL
from retention.statistics.worklist import WORKLIST

# The order matters: both backtests evaluate the predictions of the churn model.
STATISTICS: tuple[Statistic, ...] = (SURVIVAL, LIFETIME, CHURN, BACKTEST, WORKLIST)

__all__ = ["STATISTICS", "Inputs", "Statistic", "exact"]
