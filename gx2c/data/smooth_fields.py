"""Regions of a synthetic cortex, and smooth Gaussian random fields over them."""

import numpy as np

from gx2c.data.brain import MIRROR, FloatArray, IntArray

# Half-axes of one hemisphere's ellipsoid and its centre's distance from the midline, mm
HALF_AXES_MM = np.array([33.0, 78.0, 54.0])
CENTRE_MM = np.array([36.0, -17.0, 16.0])
SPHERE_RADIUS_MM = 100.0
N_SPHERE_NETWORKS = 7
GOLDEN_ANGLE = np.pi * (3.0 - np.sqrt(5.0))


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
    right_mm = CENTRE_MM + HALF_AXES_MM * right
    coords_mm = np.vstack([right_mm * MIRROR, right_mm])
    sphere_coords = SPHERE_RADIUS_MM * np.vstack([right * MIRROR, right])
    return coords_mm, sphere_coords, np.repeat(np.array([0, 1], dtype=np.int64), n_half)


def smooth_fields(
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
    return np.asarray(deviation / deviation.std(axis=0), dtype=np.float64)


def _draw(
    places: FloatArray, noise: FloatArray, smoothness_mm: float, *, on_sphere: bool
) -> FloatArray:
    distance = distances(places, places)
    if on_sphere:
        chord = np.clip(distance / (2 * SPHERE_RADIUS_MM), 0.0, 1.0)
        distance = 2 * SPHERE_RADIUS_MM * np.arcsin(chord)
    covariance = np.exp(-0.5 * (distance / smoothness_mm) ** 2)
    return np.asarray(covariance_root(covariance) @ noise, dtype=np.float64)


def covariance_root(covariance: FloatArray) -> FloatArray:
    """Return a square root of a covariance, without its negative eigenvalues.

    A Gaussian of distances along a sphere has some, because it is not quite a covariance.
    """
    values, vectors = np.linalg.eigh(covariance)
    return vectors * np.sqrt(np.clip(values, 0.0, None))


def distances(one: FloatArray, other: FloatArray) -> FloatArray:
    """Return Euclidean distances, (n_one, n_other), between rows of coordinates."""
    squares = (one**2).sum(1)[:, None] + (other**2).sum(1)[None, :] - 2 * one @ other.T
    return np.asarray(np.sqrt(np.clip(squares, 0.0, None)), dtype=np.float64)


def network_bands(sphere_coords: FloatArray) -> tuple[str, ...]:
    """Name a network of every region: one of seven bands of equal height on the sphere."""
    height = sphere_coords[:, 2] / SPHERE_RADIUS_MM
    bands = np.clip(((1 - height) / 2 * N_SPHERE_NETWORKS).astype(int), 0, N_SPHERE_NETWORKS - 1)
    return tuple(f"band{band + 1}" for band in bands.tolist())
