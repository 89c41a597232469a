"""The public interface of the simulation."""

from __future__ import annotations

from demo.company.simulation import START, simulate
from demo.company.versions import Churn, CustomerTruth, Doc, NpsAnswer, Records, Version, World

__all__ = [
    "START",
    "Churn",
    "CustomerTruth",
    "Doc",
    "NpsAnswer",
    "Records",
    "Version",
    "World",
    "simulate",
]
