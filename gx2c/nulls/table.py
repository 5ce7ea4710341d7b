"""The table of surrogates with their properties, and cautions about their p-values."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from gx2c.data.brain import Brain, IntArray
from gx2c.errors import UserError, look_up
from gx2c.nulls import moran, partial_spins, random_field, spatiomolecular, surrogate, variogram
from gx2c.nulls.spheres import PROJECTED, are_projected
from gx2c.nulls.surrogate import Surrogate
from gx2c.nulls.two_brains import COVERS, TURNS, over_two_brains

# Regions that must have sphere coordinates: spins turn all, stitching needs others too
ALL, SOME = "all", "some"
ALLOWED_RATE = 0.10


@dataclass(frozen=True)
class SurrogateSpec:
    """How to make a surrogate, and its properties.

    Attributes
    ----------
    make
        (brain, seed, training regions or None for all) -> `Surrogate`.
    reference
        Publication.
    spheres
        Regions that need sphere coordinates: `ALL`, `SOME`, or none if empty.
    rates
        False-positive rates (p <= .05) of genes unrelated to the connectome, for the gain over
        geography and for the score; None if not measured. Each is the largest rate over the four
        cells of the whole-pipeline simulation, 40 synthetic brains each, with fixed configs
        (docs/null_calibration.tsv) and, for four of the surrogates, with a ridge searched in each
        brain (docs/null_calibration_searched.tsv).
    descriptive
        Reason why p-values are descriptive, whatever the rates; empty if they are tests.
    selected_from, at_most
        For selected surrogates: the unselected ones, which are run for comparison, and the largest
        number.
    reach
        How it moves the genes of two parcellations alike (`over_two_brains`); empty if not at all.
    """

    make: Callable[[Brain, int, IntArray | None], Surrogate]
    reference: str
    spheres: str = ""
    rates: tuple[float, float] | None = None
    descriptive: str = ""
    selected_from: str = ""
    at_most: int = 0
    reach: str = ""

    def suits(self, brain: Brain) -> bool:
        """Return whether a brain has the sphere coordinates that it needs."""
        if not self.spheres or brain.sphere_coords is None:
            return not self.spheres
        n_off = int(np.isnan(brain.sphere_coords).any(axis=1).sum())
        return (
            n_off == 0 if self.spheres == ALL else partial_spins.MIN_REST <= n_off < brain.n_regions
        )


MARKELLO = "Markello & Misic (2021), NeuroImage 236, 118052"
BLOCH = "Alexander-Bloch et al. (2018), NeuroImage 178, 540"
VASA = "Vasa et al. (2018), Cerebral Cortex 28(1), 281"
WAGNER = "Wagner & Dray (2015), Methods Ecol. Evol. 6(10), 1169"
BURT = "Burt et al. (2020), NeuroImage 220, 117038"
FREEDMAN = "Freedman & Lane (1983), J. Bus. Econ. Stat. 1(4), 292"
OURS = "docs/nulls.md"

SURROGATES: dict[str, SurrogateSpec] = {
    "alexander_bloch": SurrogateSpec(
        partial(surrogate.spins, "alexander_bloch"), BLOCH, ALL, rates=(2 / 40, 8 / 40), reach=TURNS
    ),
    "hungarian": SurrogateSpec(
        partial(surrogate.spins, "hungarian"), MARKELLO, ALL, rates=(4 / 40, 5 / 40), reach=TURNS
    ),
    "vasa": SurrogateSpec(
        partial(surrogate.spins, "vasa"), VASA, ALL, rates=(4 / 40, 5 / 40), reach=TURNS
    ),
    "moran": SurrogateSpec(moran.surrogate, WAGNER, rates=(4 / 40, 5 / 40)),
    "variogram": SurrogateSpec(variogram.surrogate, BURT, rates=(4 / 40, 5 / 40)),
    "random_field": SurrogateSpec(
        random_field.surrogate, OURS, rates=(3 / 40, 6 / 40), reach=COVERS
    ),
    "residual_spin": SurrogateSpec(
        partial_spins.residual, FREEDMAN, ALL, rates=(1 / 40, 1 / 40), reach=TURNS
    ),
    "stitched": SurrogateSpec(partial_spins.stitched, OURS, SOME),
    "spatiomolecular": SurrogateSpec(
        spatiomolecular.surrogate,
        "GeneEx2Conn, NeurIPS 2025",
        ALL,
        descriptive=spatiomolecular.STATEMENT,
        selected_from=spatiomolecular.CANDIDATE_METHOD,
        at_most=spatiomolecular.N_BEST,
    ),
    "random": SurrogateSpec(surrogate.random, MARKELLO, rates=(8 / 40, 8 / 40)),
    "within_compartment": SurrogateSpec(surrogate.within_compartment, OURS),
}
# The surrogate whose gain over geography had the lowest worst rate
DEFAULT_SURROGATE = min(SURROGATES, key=lambda name: SURROGATES[name].rates or (1.0, 1.0))


def make_surrogate(
    name: str, brain: Brain, *, seed: int, training_regions: IntArray | None = None
) -> Surrogate:
    """Prepare a surrogate of a brain by its name.

    Parameters
    ----------
    name
        A name in `SURROGATES`.
    brain
        Provides geometry and, for "variogram" and "random_field", expression.
    seed
        Non-negative seed.
    training_regions
        Regions to which "variogram" and "random_field" are fitted; all if None. Other surrogates
        are not fitted.

    Raises
    ------
    UserError
        If there is no such surrogate, or the brain lacks data that it needs.
    """
    spec = look_up(SURROGATES, name, "surrogate named")
    if seed < 0:
        raise UserError(f"seed={seed}; the seed must not be negative")
    if brain.tested is not None:
        return over_two_brains(name, spec.make, spec.reach, brain, seed, training_regions)
    made = spec.make(brain, seed, training_regions)
    sphere = brain.sphere_coords
    if not spec.spheres or sphere is None:
        return made
    projected = are_projected(sphere, brain.coords_mm, brain.hemisphere)
    return replace(made, statement=f"{made.statement}; {PROJECTED}") if projected else made


def allowed_nulls(brain: Brain) -> tuple[list[str], str]:
    """Return the surrogates that a brain allows, and why it allows no spins if so."""
    names = [name for name, spec in SURROGATES.items() if spec.suits(brain)]
    spun = [name for name in names if SURROGATES[name].spheres]
    try:
        if spun:
            make_surrogate(spun[0], brain, seed=0)
        else:
            make_surrogate("hungarian", brain, seed=0)
    except UserError as error:
        return [name for name in names if name not in spun], str(error)
    return names, ""


def caution(method: str, *, nested: bool) -> str:
    """Return the caution for p-values of a surrogate; empty if they are trustworthy.

    Parameters
    ----------
    method
        A name in `SURROGATES`.
    nested
        Whether the statistic is the gain over geography of a model that contains geography.
    """
    spec = SURROGATES[method]
    if spec.descriptive:
        return spec.descriptive
    if spec.rates is None:
        return f"the false-positive rate of {method} nulls has not been measured for this statistic"
    rate = spec.rates[0 if nested else 1]
    if rate > ALLOWED_RATE:
        return (
            f"may be too liberal: {rate:.0%} of unrelated genes gave p <= .05 in the worst"
            " simulation (docs/nulls.md)"
        )
    return ""
