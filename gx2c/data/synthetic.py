"""A synthetic brain with a planted answer: expression, geography and noise in known shares."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import MIRROR, Brain, FloatArray
from gx2c.data.gene_starts import CHROMOSOMES, genome_position
from gx2c.data.smooth_fields import distances, mirrored_cortex, network_bands, smooth_fields
from gx2c.errors import UserError

DECAY_MM = 40.0
MAX_ABS_R = 0.95
MISSING_EDGES = 0.1

Field = Literal["mni", "sphere"]


@dataclass(frozen=True)
class PlantedParts:
    """The parts of a synthetic brain.

    Attributes
    ----------
    latent
        (n_regions, n_latents), the smooth fields that make both expression and connectome.
    loadings
        (n_latents, n_genes), how the fields make genes.
    from_expression, from_geography, from_noise
        (n_regions, n_regions), symmetric, zero mean and unit variance off the diagonal; their
        weighted sum, scaled, is the connectome.
    """

    latent: FloatArray
    loadings: FloatArray
    from_expression: FloatArray
    from_geography: FloatArray
    from_noise: FloatArray


def make_synthetic_brain(
    *,
    n_regions: int = 60,
    n_genes: int = 120,
    seed: int,
    expression_weight: float = 1.0,
    geography_weight: float = 1.0,
    noise_weight: float = 0.3,
    smoothness_mm: float = 30.0,
    field: Field = "mni",
    symmetric: bool = True,
    n_latents: int = 8,
    gene_noise: float = 0.3,
    n_subjects: int = 0,
) -> Brain:
    """Make a brain whose connectome is a known function of expression, geography and noise.

    Two mirrored hemispheres of regions spread evenly over ellipsoids. A few Gaussian random
    fields, smooth over the cortex, make the genes (a random mixture, plus noise of each gene) and,
    by a random symmetric bilinear form, the first part of the connectome; the second falls with
    the distance and with the distance to the mirrored region; the third is noise.

    Parameters
    ----------
    n_regions
        Even, at least 8.
    n_genes
        At least 1.
    seed
        Random seed; the weights and n_genes do not change the fields.
    expression_weight, geography_weight, noise_weight
        Shares of the three parts, each scaled to unit variance; not negative, not all 0.
    smoothness_mm
        Length over which fields stay alike: the standard deviation of a Gaussian covariance. On
        spheres it is measured along their surface, radius 100 mm.
    field
        "mni": smooth in MNI space; "sphere": smooth on each hemisphere's own sphere.
    symmetric
        Whether homologues have equal fields; otherwise the hemispheres differ ("sphere": they are
        independent).
    n_latents
        Number of fields.
    gene_noise
        Standard deviation of each gene's own noise, where its field part has 1.
    n_subjects
        Number of people with connectomes of their own (the same parts, each with fresh noise),
        of which each lacks a tenth of the edges; 0 for none.

    Returns
    -------
    Brain
        With sphere coordinates, a holdout connectome (the same parts, fresh noise), a sparse
        structural connectome (planted connectivity among near regions) and transcription starts.

    Raises
    ------
    UserError
        If an argument is out of range.
    """
    weights = (expression_weight, geography_weight, noise_weight)
    rules = {
        f"n_regions is {n_regions}; an even number from 8 on is needed": n_regions >= 8
        and n_regions % 2 == 0,
        f"n_genes is {n_genes}; at least 1 is needed": n_genes >= 1,
        f"weights are {weights}; none may be negative, one must be positive": min(weights) >= 0
        and max(weights) > 0,
        f"smoothness_mm is {smoothness_mm}; it must be positive": smoothness_mm > 0,
        f"field is {field!r}; choose from 'mni' and 'sphere'": field in ("mni", "sphere"),
        f"n_latents is {n_latents}; at least 1 is needed": n_latents >= 1,
        f"gene_noise is {gene_noise}; it must not be negative": gene_noise >= 0,
    }
    broken = [sentence for sentence, holds in rules.items() if not holds]
    if broken:
        raise UserError("; ".join(broken))
    coords_mm, sphere_coords, hemisphere = mirrored_cortex(n_regions)
    parts = planted_parts(
        n_regions=n_regions,
        n_genes=n_genes,
        seed=seed,
        smoothness_mm=smoothness_mm,
        field=field,
        symmetric=symmetric,
        n_latents=n_latents,
    )
    signal = expression_weight * parts.from_expression + geography_weight * parts.from_geography
    again = _unit(_symmetric_noise(n_regions, _rng(seed, "holdout")))
    own = gene_noise * _rng(seed, "gene-noise").standard_normal((n_regions, n_genes))
    return Brain(
        name=f"synthetic-{seed}",
        labels=tuple(
            f"synthetic_{'LR'[side]}H_{i % (n_regions // 2) + 1}"
            for i, side in enumerate(hemisphere.tolist())
        ),
        genes=tuple(f"GENE{i + 1}" for i in range(n_genes)),
        expression=parts.latent @ parts.loadings + own,
        connectome=_as_correlations(signal + noise_weight * parts.from_noise),
        coords_mm=coords_mm,
        hemisphere=hemisphere,
        network=network_bands(sphere_coords),
        holdout_connectome=_as_correlations(signal + noise_weight * again),
        sphere_coords=sphere_coords,
        tss=_starts(n_genes, _rng(seed, "starts")),
        structural_connectome=_fibres(coords_mm, signal, _rng(seed, "fibres")),
        individual_connectomes=_people(signal, noise_weight, n_subjects, _rng(seed, "people")),
    )


def planted_parts(
    *,
    n_regions: int,
    n_genes: int,
    seed: int,
    smoothness_mm: float = 30.0,
    field: Field = "mni",
    symmetric: bool = True,
    n_latents: int = 8,
) -> PlantedParts:
    """Return the parts that `make_synthetic_brain` combines, given the same arguments."""
    coords_mm, sphere_coords, hemisphere = mirrored_cortex(n_regions)
    places = coords_mm if field == "mni" else sphere_coords
    latent = smooth_fields(
        places,
        hemisphere,
        smoothness_mm=smoothness_mm,
        joined=field == "mni",
        symmetric=symmetric,
        n_fields=n_latents,
        rng=_rng(seed, "fields"),
    )
    loadings = _rng(seed, "loadings").standard_normal((n_genes, n_latents)).T / np.sqrt(n_latents)
    form = _rng(seed, "form").standard_normal((n_latents, n_latents))
    return PlantedParts(
        latent,
        loadings,
        _unit(latent @ (form + form.T) @ latent.T),
        _unit(_geography(coords_mm)),
        _unit(_symmetric_noise(n_regions, _rng(seed, "noise"))),
    )


STREAMS = "fields loadings form noise holdout gene-noise starts fibres people".split()


def _rng(seed: int, stream: str) -> np.random.Generator:
    """Give each use its own stream, so that changing one leaves the others alone."""
    return np.random.default_rng(np.random.SeedSequence([seed, STREAMS.index(stream)]))


def _geography(coords_mm: FloatArray) -> FloatArray:
    mirrored = coords_mm * MIRROR
    across = distances(coords_mm, mirrored)
    decay = np.exp(-distances(coords_mm, coords_mm) / DECAY_MM) + 0.5 * np.exp(-across / DECAY_MM)
    return np.asarray((decay + decay.T) / 2, dtype=np.float64)


def _symmetric_noise(n_regions: int, rng: np.random.Generator) -> FloatArray:
    noise = rng.standard_normal((n_regions, n_regions))
    return np.triu(noise, 1) + np.triu(noise, 1).T


def _fibres(coords_mm: FloatArray, signal: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Make structural weights in [0, 1]: positive, fewer with distance, more with the signal."""
    noise = 0.5 * _symmetric_noise(len(coords_mm), rng)
    reach = np.exp(-distances(coords_mm, coords_mm) / DECAY_MM)
    weights: FloatArray = np.clip(signal + noise, 0.0, None) * (reach + reach.T) / 2
    np.fill_diagonal(weights, 0.0)
    weights /= weights.max()
    return weights


def _people(
    signal: FloatArray, noise_weight: float, n_subjects: int, rng: np.random.Generator
) -> NDArray[np.float32] | None:
    """Make people's edges, (n_subjects, n_edges), some missing; None without people."""
    if not n_subjects:
        return None
    edges = np.triu_indices(len(signal), 1)
    people = []
    for _ in range(n_subjects):
        own = _as_correlations(signal + noise_weight * _symmetric_noise(len(signal), rng))[edges]
        own[rng.random(len(own)) < MISSING_EDGES] = np.nan
        people.append(own)
    return np.array(people, dtype=np.float32)


def _unit(matrix: FloatArray) -> FloatArray:
    """Scale to zero mean and unit variance off the diagonal, which becomes 0."""
    off_diagonal = ~np.eye(len(matrix), dtype=bool)
    values = matrix[off_diagonal]
    scaled = (matrix - values.mean()) / values.std()
    return np.where(off_diagonal, (scaled + scaled.T) / 2, 0.0)


def _as_correlations(matrix: FloatArray) -> FloatArray:
    """Scale linearly into [-0.95, 0.95], so that the planted sum stays a sum; diagonal 1."""
    connectome: FloatArray = MAX_ABS_R * matrix / np.abs(matrix).max()
    np.fill_diagonal(connectome, 1.0)
    return connectome


def _starts(n_genes: int, rng: np.random.Generator) -> FloatArray:
    chromosomes = rng.integers(len(CHROMOSOMES), size=n_genes).tolist()
    places = rng.integers(1, 50_000_000, size=n_genes).tolist()
    pairs = zip(chromosomes, places, strict=True)
    return np.array([genome_position(CHROMOSOMES[c], start) for c, start in pairs])
