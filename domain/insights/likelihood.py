"""Parameters of highest likelihood, for models with a few positive parameters."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from domain.insights.series import Floats
from domain.metrics.value import Reason

SMALLEST, LARGEST = 1e-4, 1e5  # of a parameter: beyond, the model has degenerated to one with fewer
STEP = 0.5  # of the first simplex, in logarithms
IMPROBABLE = 1e300  # what a point counts for at which the likelihood cannot be computed
EVALUATIONS = 1500


def most_likely(log_likelihood: Callable[[Floats], float], start: tuple[float, ...]) -> tuple[float, ...] | Reason:
    """The parameters that maximise it, searched on their logarithms by a simplex; NO_FIT if it does not settle.

    A simplex needs no derivatives, whose differences would be noise along the flat ridges of these likelihoods. It is
    begun again where it ended, because the first one can collapse on a ridge.
    """
    import numpy as np
    from scipy.optimize import minimize  # type: ignore[import-untyped]  # the library carries no types

    def unlikely(logs: Floats) -> float:
        with np.errstate(all="ignore"):  # the search may look where the arithmetic ends; it is turned back below
            value = -log_likelihood(np.exp(logs))
        return value if math.isfinite(value) else IMPROBABLE

    at, size = np.log(np.array(start, dtype=np.float64)), len(start)
    bounds = [(math.log(SMALLEST), math.log(LARGEST))] * size
    options: dict[str, Any] = {"xatol": 1e-6, "fatol": 1e-10, "maxiter": EVALUATIONS, "maxfev": EVALUATIONS}
    for _ in range(2):
        options["initial_simplex"] = np.vstack([at, at + STEP * np.eye(size)])
        result = minimize(unlikely, at, method="Nelder-Mead", bounds=bounds, options=options)
        if not result.success or result.fun >= IMPROBABLE:
            return Reason.NO_FIT
        at = result.x
    return tuple(float(value) for value in np.exp(at))
