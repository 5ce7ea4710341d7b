"""Lower the options of a sweep until it is estimated to keep its budget."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from sweeps.request.budget import LEVELS, changes, lowered, parse_budget
from sweeps.request.options import SweepOptions
from sweeps.request.plan import SweepPlan, make_plan
from sweeps.request.table import NO_BUDGET
from sweeps.run.estimate import Costs, Estimate, duration

# An estimate may be wrong by a factor of two
SHARE = 1 / 2


def fit_to_budget(
    plan: SweepPlan, measure: Callable[[SweepPlan], Costs]
) -> tuple[SweepPlan, Estimate]:
    """Return the plan and estimate of the first level that keeps the budget, or of the lowest.

    Parameters
    ----------
    plan
        The sweep as it was asked for.
    measure
        Times a few configs; called once, and again for smaller networks.
    """
    asked, limit = plan.options, parse_budget(plan.options.budget)
    costs: dict[tuple[str, bool], Costs] = {}
    for level in LEVELS if limit is not None else LEVELS[:1]:
        options = lowered(asked, level)
        plan = _with_options(plan, options)
        key = options.genes, options.small
        if key not in costs:
            costs[key] = measure(plan)
        estimate = Estimate.of(plan, costs[key])
        if limit is None or estimate.total <= SHARE * limit:
            break
    return plan, estimate


def _with_options(plan: SweepPlan, options: SweepOptions) -> SweepPlan:
    if (options.genes, options.seeds) == (plan.options.genes, plan.options.seeds):
        return replace(plan, options=options)
    return replace(make_plan(options), warm=plan.warm, measured_share=plan.measured_share)


def said_of_budget(asked: SweepOptions, chosen: SweepOptions, estimate: Estimate) -> Iterator[str]:
    """Yield what a budget lowered, and whether that suffices."""
    if words := changes(asked, chosen):
        why = f"to fit --budget {asked.budget}, preset {asked.preset} is reduced"
        yield f"{why}: {words}; --budget {NO_BUDGET} runs all of it"
    limit = parse_budget(asked.budget)
    if limit is not None and estimate.total > limit:
        yield f"no smaller sweep is on offer: {duration(estimate.total)} exceed the budget"
