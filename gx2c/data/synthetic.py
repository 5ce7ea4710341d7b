"""A synthetic brain with a planted answer: expression, geography and noise in known shares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gx2c.data.brain import Brain, FloatArray, IntArray
from gx2c.data.genome import CHROMOSOMES, genome_position
from gx2c.errors import UserError

# Half-axes of one hemisphere's ellipsoid and its centre's distance from the midline, mm
HALF_AXES_MM = np.array([33.0, 78.0, 54.0])
CENTRE_MM = np.array([36.0, -17.0, 16.0])
SPHERE_RADIUS_MM = 100.0
N_SPHERE_NETWORKS = 7
GOLDEN_ANGLE = np.pi * (3.0 - np.sqrt(5.0))
DECAY_MM = 40.0
MAX_ABS_R = 0.95
MISSING_EDGES = 0.1

Field = Literal["mni", "sphere"]


@dataclass(frozen=True)
class PlantedParts:
    """What a synthetic brain is made of.

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
        Of everything random; the weights and n_genes do not change the fields.
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
    _check(
        n_regions=n_regions,
        n_genes=n_genes,
        weights=(expression_weight, geography_weight, noise_weight),
        smoothness_mm=smoothness_mm,
        field=field,
        n_latents=n_latents,
        gene_noise=gene_noise,
    )
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
    own = gene_noise * _rng(seed, "gene noise").standard_normal((n_regions, n_genes))
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
        network=_networks(sphere_coords),
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
    """Return what `make_synthetic_brain` makes a brain of, given the same arguments."""
    coords_mm, sphere_coords, hemisphere = mirrored_cortex(n_regions)
    places = coords_mm if field == "mni" else sphere_coords
    latent = _smooth_fields(
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


def mirrored_cortex(n_regions: int) -> tuple[FloatArray, FloatArray, IntArray]:
    """Spread regions evenly over two mirrored hemispheres, left first.

    Returns
    -------
    coords_mm : FloatArray
        (n_regions, 3), on two ellipsoids of a brain's size, MNI mm.
    sphere_coords : FloatArray
        (n_regions, 3), on two spheres of radius 100 mm, both round the origin, mirrored in x.
    hemisphere : IntArray
        (n_regions,), 0 left, 1 right.
    """
    n_half = n_regions // 2
    steps = np.arange(n_half)
    height = 1.0 - (2.0 * steps + 1.0) / n_half
    ring = np.sqrt(1.0 - height**2)
    right = np.stack(
        [ring * np.cos(GOLDEN_ANGLE * steps), ring * np.sin(GOLDEN_ANGLE * steps), height], axis=1
    )
    mirror = np.array([-1.0, 1.0, 1.0])
    right_mm = CENTRE_MM + HALF_AXES_MM * right
    coords_mm = np.vstack([right_mm * mirror, right_mm])
    sphere_coords = SPHERE_RADIUS_MM * np.vstack([right * mirror, right])
    return coords_mm, sphere_coords, np.repeat(np.array([0, 1], dtype=np.int64), n_half)


def _check(
    *,
    n_regions: int,
    n_genes: int,
    weights: tuple[float, ...],
    smoothness_mm: float,
    field: str,
    n_latents: int,
    gene_noise: float,
) -> None:
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


STREAMS = (
    "fields",
    "loadings",
    "form",
    "noise",
    "holdout",
    "gene noise",
    "starts",
    "fibres",
    "people",
)


def _rng(seed: int, stream: str) -> np.random.Generator:
    """Give each use its own stream, so that changing one leaves the others alone."""
    return np.random.default_rng(np.random.SeedSequence([seed, STREAMS.index(stream)]))


def _smooth_fields(
    places: FloatArray,
    hemisphere: IntArray,
    *,
    smoothness_mm: float,
    joined: bool,
    symmetric: bool,
    n_fields: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Draw Gaussian random fields, (n_regions, n_fields), each with zero mean and unit variance."""
    n_half = len(places) // 2
    noise = rng.standard_normal((len(places), n_fields))
    if symmetric:
        # One hemisphere is drawn and mirrored, so that homologues agree exactly
        half = _draw(places[hemisphere == 1], noise[:n_half], smoothness_mm, on_sphere=not joined)
        fields = np.vstack([half, half])
    elif joined:
        fields = _draw(places, noise, smoothness_mm, on_sphere=False)
    else:
        fields = np.vstack(
            [
                _draw(places[hemisphere == side], part, smoothness_mm, on_sphere=True)
                for side, part in enumerate(np.split(noise, 2))
            ]
        )
    deviation = fields - fields.mean(axis=0)
    spread: FloatArray = deviation.std(axis=0)
    return np.asarray(deviation / spread, dtype=np.float64)


def _draw(
    places: FloatArray, noise: FloatArray, smoothness_mm: float, *, on_sphere: bool
) -> FloatArray:
    distance = _distances(places, places)
    if on_sphere:
        chord = np.clip(distance / (2 * SPHERE_RADIUS_MM), 0.0, 1.0)
        distance = 2 * SPHERE_RADIUS_MM * np.arcsin(chord)
    covariance = np.exp(-0.5 * (distance / smoothness_mm) ** 2)
    values, vectors = np.linalg.eigh(covariance)
    # A Gaussian of the arc length is not quite a covariance: negative eigenvalues are dropped
    return np.asarray(vectors * np.sqrt(np.clip(values, 0.0, None)) @ noise, dtype=np.float64)


def _distances(one: FloatArray, other: FloatArray) -> FloatArray:
    squares = (one**2).sum(1)[:, None] + (other**2).sum(1)[None, :] - 2 * one @ other.T
    return np.asarray(np.sqrt(np.clip(squares, 0.0, None)), dtype=np.float64)


def _geography(coords_mm: FloatArray) -> FloatArray:
    mirrored = coords_mm * np.array([-1.0, 1.0, 1.0])
    across = _distances(coords_mm, mirrored)
    decay = np.exp(-_distances(coords_mm, coords_mm) / DECAY_MM) + 0.5 * np.exp(-across / DECAY_MM)
    return np.asarray((decay + decay.T) / 2, dtype=np.float64)


def _symmetric_noise(n_regions: int, rng: np.random.Generator) -> FloatArray:
    noise = rng.standard_normal((n_regions, n_regions))
    return np.triu(noise, 1) + np.triu(noise, 1).T


def _fibres(coords_mm: FloatArray, signal: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Make structural weights in [0, 1]: positive, fewer with distance, more with the signal."""
    noise = 0.5 * _symmetric_noise(len(coords_mm), rng)
    reach = np.exp(-_distances(coords_mm, coords_mm) / DECAY_MM)
    weights: FloatArray = np.clip(signal + noise, 0.0, None) * (reach + reach.T) / 2
    np.fill_diagonal(weights, 0.0)
    weights /= weights.max()
    return weights


def _people(
    signal: FloatArray, noise_weight: float, n_subjects: int, rng: np.random.Generator
) -> NDArray[np.float32] | None:
    """Make people's edges, (n_subjects, n_edges), with missing ones; None of nobody."""
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


def _networks(sphere_coords: FloatArray) -> tuple[str, ...]:
    """Cut both hemispheres into the same bands from top to bottom."""
    height = sphere_coords[:, 2] / SPHERE_RADIUS_MM
    bands = np.clip(((1 - height) / 2 * N_SPHERE_NETWORKS).astype(int), 0, N_SPHERE_NETWORKS - 1)
    return tuple(f"band{band + 1}" for band in bands.tolist())


def _starts(n_genes: int, rng: np.random.Generator) -> FloatArray:
    chromosomes = rng.integers(len(CHROMOSOMES), size=n_genes).tolist()
    places = rng.integers(1, 50_000_000, size=n_genes).tolist()
    pairs = zip(chromosomes, places, strict=True)
    return np.array([genome_position(CHROMOSOMES[c], start) for c, start in pairs])
