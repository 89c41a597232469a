"""Statistics from libraries, computed between the two halves of a build.

To add one: declare it in a module here, list it below, and read its table in a dbt model
tagged ``statistics`` through ``source('statistics', <name>)``.
"""

from __future__ import annotations

from retention.statistics.backtest import BACKTEST
from retention.statistics.base import Inputs, Statistic, exact
from retention.statistics.churn import CHURN
from retention.statistics.lifetime import LIFETIME
from retention.statistics.survival import SURVIVAL

# In this order: the backtest judges what the model before it has foretold.
STATISTICS: tuple[Statistic, ...] = (SURVIVAL, LIFETIME, CHURN, BACKTEST)

__all__ = ["STATISTICS", "Inputs", "Statistic", "exact"]
