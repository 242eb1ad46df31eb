"""From a time budget to a number of search steps, measured on this machine."""

import math
from collections.abc import Callable
from time import perf_counter

from oddgan._core.errors import InputError

FEW, MANY, REPEAT = 2, 10, 3


def affordable(budget_ms: float, run: Callable[[int], object], n: int) -> int:
    """Return how many steps a budget pays for; measured once, since scores must not depend on the clock.

    Parameters
    ----------
    budget_ms : milliseconds for each sample, above 0.
    run : searches with that many steps, without stopping early, for n samples.
    n : the number of samples.

    Raises
    ------
    InputError
        If the budget is not above 0, or does not pay for one step.
    """
    if not 0 < budget_ms < math.inf:
        raise InputError(f"A search's budget must be a number of milliseconds above 0, not {budget_ms}.")
    run(1)
    few, many = (min(_milliseconds(run, steps) for _ in range(REPEAT)) / n for steps in (FEW, MANY))
    # On a busy machine more steps may seem to take less time: then a step's share of the whole is the safer guess.
    step = (many - few) / (MANY - FEW) if many > few else many / MANY
    start = max(0.0, few - FEW * step)
    steps = math.floor((budget_ms - start) / step)
    if steps < 1:
        raise InputError(
            f"A budget of {budget_ms:g} ms for each sample is too short: {FEW} steps of the search take {few:.3g} ms."
        )
    return steps


def _milliseconds(run: Callable[[int], object], steps: int) -> float:
    start = perf_counter()
    run(steps)
    return 1000 * (perf_counter() - start)
