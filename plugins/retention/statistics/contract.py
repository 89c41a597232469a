"""Fit the shifted-beta-geometric model of contract lifetimes (Fader and Hardie, 2007).

Each customer churns with a constant probability per period. The probability differs between
customers by a beta distribution, so the retention of a cohort rises with age.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SEED = 20070101
DRAWS = 1000


@dataclass(frozen=True)
class Fit:
    """Parameters, log-likelihood and draws from the joint distribution of the parameters."""

    alpha: float
    beta: float
    log_likelihood: float
    draws: Any

    def survival(self, periods: int) -> Any:
        """Return the survival after 0, 1, ... ``periods`` periods."""
        return survival(self.alpha, self.beta, periods)


def survival(alpha: Any, beta: Any, periods: int) -> Any:
    """Return the survival after 0 to ``periods`` periods; one row per parameter pair for arrays."""
    import numpy as np

    ages = np.arange(periods + 1)
    return np.exp(_log_survival(np.asarray(alpha)[..., None], np.asarray(beta)[..., None], ages))


def fit(entries: Sequence[int], ends: Sequence[int], lost: Sequence[bool]) -> Fit | None:
    """Fit by maximum likelihood over whole periods; None if all or no customers were lost.

    A lifetime is observed from the age ``entry``. If it ended in its n-th period, ``end`` is n and
    ``lost`` is true; if it is still running after n periods, ``end`` is n. A lifetime observed for
    less than one period carries no information.
    """
    import numpy as np
    from scipy.optimize import minimize

    entry, end, gone = (np.asarray(part) for part in (entries, ends, lost))
    seen = end > entry
    entry, end, gone = entry[seen], end[seen], gone[seen].astype(bool)
    if not gone.any() or gone.all():
        return None

    def cost(logs: Any) -> float:
        alpha, beta = np.exp(np.clip(logs, -12, 12))
        before = _log_survival(alpha, beta, np.where(gone, end - 1, end))
        at = np.log(alpha) - np.log(alpha + beta + end - 1)
        total = before + np.where(gone, at, 0) - _log_survival(alpha, beta, entry)
        return float(-total.sum())

    start = np.log([1.0, max(1.0, (end - entry).sum() / gone.sum())])
    found = minimize(cost, start, method="Nelder-Mead", options={"xatol": 1e-7, "fatol": 1e-9})
    alpha, beta = np.exp(found.x)
    return Fit(float(alpha), float(beta), -float(found.fun), _draws(cost, found.x))


def _log_survival(alpha: Any, beta: Any, ages: Any) -> Any:
    from scipy.special import betaln

    return betaln(alpha, beta + ages) - betaln(alpha, beta)


def _draws(cost: Any, peak: Any) -> Any:
    """Draw parameter pairs from the normal approximation on the log scale; deterministic."""
    import numpy as np

    step, size = 1e-3, len(peak)
    hessian = np.empty((size, size))
    units = np.eye(size) * step
    for a in range(size):
        for b in range(size):
            signs = [(1, 1), (1, -1), (-1, 1), (-1, -1)]
            values = [s * t * cost(peak + s * units[a] + t * units[b]) for s, t in signs]
            hessian[a, b] = sum(values) / (4 * step * step)
    # A flat direction carries no information; its variance is capped at e^2.
    weights, axes = np.linalg.eigh((hessian + hessian.T) / 2)
    errors = 1 / np.sqrt(np.maximum(weights, 0.25))
    noise = np.random.default_rng(SEED).standard_normal((DRAWS, size))
    return np.exp(np.clip(peak + (noise * errors) @ axes.T, -12, 12))
