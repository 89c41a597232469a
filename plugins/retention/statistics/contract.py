"""The shifted-beta-geometric model of contractual lives (Fader and Hardie, 2007).

Each customer leaves with a constant chance per period; chances differ between customers by a
beta distribution. That is why retention of a cohort rises with age: the unsteady leave first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

SEED = 20070101
DRAWS = 1000


@dataclass(frozen=True)
class Fit:
    """Parameters, log-likelihood and draws of the parameters from their joint error."""

    alpha: float
    beta: float
    log_likelihood: float
    draws: Any

    def survival(self, periods: int) -> Any:
        """Share alive after 0, 1, ... ``periods`` periods."""
        return survival(self.alpha, self.beta, periods)


def survival(alpha: Any, beta: Any, periods: int) -> Any:
    """Share alive after 0 to ``periods`` periods; a row per parameter pair when given arrays."""
    import numpy as np

    ages = np.arange(periods + 1)
    return np.exp(_log_survival(np.asarray(alpha)[..., None], np.asarray(beta)[..., None], ages))


def fit(entries: Sequence[int], ends: Sequence[int], lost: Sequence[bool]) -> Fit | None:
    """Maximum likelihood over whole periods; None where nobody was lost, or everybody was.

    A life is seen from the age ``entry`` on. One that ended in its n-th period has ``end`` n
    and ``lost``; one still there after n periods has ``end`` n. A life that was not seen
    for one whole period says nothing.
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
    """Pairs of parameters from the normal approximation on the logarithms, always the same."""
    import numpy as np

    step, size = 1e-3, len(peak)
    hessian = np.empty((size, size))
    units = np.eye(size) * step
    for a in range(size):
        for b in range(size):
            signs = [(1, 1), (1, -1), (-1, 1), (-1, -1)]
            values = [s * t * cost(peak + s * units[a] + t * units[b]) for s, t in signs]
            hessian[a, b] = sum(values) / (4 * step * step)
    # A flat direction is no information, not an infinite one: its error is held at e^2.
    weights, axes = np.linalg.eigh((hessian + hessian.T) / 2)
    errors = 1 / np.sqrt(np.maximum(weights, 0.25))
    noise = np.random.default_rng(SEED).standard_normal((DRAWS, size))
    return np.exp(np.clip(peak + (noise * errors) @ axes.T, -12, 12))
