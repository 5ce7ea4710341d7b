"""An estimate of the run time of a sweep of many models."""

from collections.abc import Mapping
from dataclasses import dataclass

from gx2c.models.names import spec_of
from sweeps.request.plan import SweepPlan
from sweeps.run.estimate import Costs, Estimate, probes_of
from sweeps.run.progress import clock
from trainables.costs import cost_of


@dataclass(frozen=True)
class ZooEstimate:
    """Seconds of one core per model: search and retraining, and nulls of the models that get any.

    Only `n_networks` networks get nulls; the most expensive ones are counted.
    """

    work: Mapping[str, float]
    nulls: Mapping[str, float]
    n_networks: int

    def total(self) -> float:
        """Return the seconds of everything that will run."""
        in_epochs = {m: spec_of(m).trains_in_epochs for m in self.nulls}
        closed = [s for m, s in self.nulls.items() if not in_epochs[m]]
        networks = sorted(s for m, s in self.nulls.items() if in_epochs[m])
        return sum(self.work.values()) + sum(closed) + sum(networks[-self.n_networks :])

    def text(self, at_once: int) -> str:
        """Return the text printed before anything starts."""
        dearest = sorted(self.work, key=lambda m: -self.work[m])
        parts = ", ".join(f"{m} {clock(self.work[m] / at_once)}" for m in dearest)
        return (
            f"{len(self.work)} models, about {clock(self.total() / at_once)} (minutes:seconds) "
            f"with {at_once} concurrent trials, nulls included; without them: {parts}"
        )


def estimate_model(plan: SweepPlan) -> Estimate:
    """Estimate a sweep on one core, timed in this process; geography is another model's work."""
    model, context = plan.options.model, plan.context()
    costs = {p.model: cost_of(context, p) for p in probes_of(plan) if p.model == model}
    return Estimate.of(plan, Costs(costs))
