"""Make references.npz: what neuromaps 0.0.7 and brainspace 0.3.0 give on small inputs.

Run in an environment of its own: pip install neuromaps==0.0.7 brainspace==0.3.0, then
python tests/nulls/data/make_references.py
"""

from __future__ import annotations

import tempfile
from importlib.metadata import version
from pathlib import Path

import nibabel
import numpy as np
from brainspace.null_models.moran import compute_mem, moran_randomization
from neuromaps.nulls.spins import _gen_rotation, gen_spinsamples, spin_parcels
from scipy.spatial.distance import cdist
from sklearn.utils import check_random_state

N_SPINS, SEED = 40, 1234


def points_on_sphere(n, rng):
    points = rng.normal(size=(n, 3))
    return 100 * points / np.linalg.norm(points, axis=1, keepdims=True)


def rotations():
    state = check_random_state(SEED)
    # neuromaps turns rows: point @ rotation
    return np.stack([_gen_rotation(seed=state)[0].T for _ in range(N_SPINS)])


def spins(rng):
    coords = np.concatenate([points_on_sphere(41, rng), points_on_sphere(38, rng)])
    hemisphere = np.repeat([0, 1], [41, 38])
    names = {"alexander_bloch": "original", "vasa": "vasa", "hungarian": "hungarian"}
    made = {
        name: gen_spinsamples(
            coords, hemisphere, N_SPINS, check_duplicates=False, method=theirs, seed=SEED
        ).astype(np.int16)
        for name, theirs in names.items()
    }
    return {"sphere_coords": coords, "hemisphere": hemisphere, **made}


def baum(rng, folder):
    sides = [points_on_sphere(220, rng), points_on_sphere(200, rng)]
    centres = [points_on_sphere(9, rng), points_on_sphere(8, rng)]
    labels = [cdist(v, c).argmin(axis=1) for v, c in zip(sides, centres, strict=True)]
    labels = [np.unique(side, return_inverse=True)[1] for side in labels]
    labels[1] = labels[1] + labels[0].max() + 1
    surfaces, parcels = [], []
    for side, (vertices, label) in enumerate(zip(sides, labels, strict=True)):
        triangles = np.array([[0, 1, 2]], dtype=np.int32)
        arrays = [
            nibabel.gifti.GiftiDataArray(vertices.astype(np.float32), "NIFTI_INTENT_POINTSET"),
            nibabel.gifti.GiftiDataArray(triangles, "NIFTI_INTENT_TRIANGLE"),
        ]
        surfaces.append(str(folder / f"{side}.surf.gii"))
        nibabel.save(nibabel.gifti.GiftiImage(darrays=arrays), surfaces[-1])
        label_array = nibabel.gifti.GiftiDataArray(
            (label + 1).astype(np.int32), "NIFTI_INTENT_LABEL"
        )
        parcels.append(str(folder / f"{side}.label.gii"))
        nibabel.save(nibabel.gifti.GiftiImage(darrays=[label_array]), parcels[-1])
    regions = spin_parcels(surfaces, parcels, n_rotate=N_SPINS, seed=SEED, check_duplicates=False)
    return {
        "vertex_coords": np.concatenate(sides).astype(np.float32),
        "vertex_region": np.concatenate(labels),
        "vertex_hemisphere": np.repeat([0, 1], [220, 200]),
        "baum": regions.astype(np.int16),
    }


def moran(rng):
    coords = rng.uniform(-60, 60, size=(30, 3))
    distance = cdist(coords, coords)
    np.fill_diagonal(distance, 1)
    vectors, values = compute_mem(1 / distance, tol=1e-6)  # in float32, the constant's 0
    maps = rng.normal(size=(30, 4)) @ rng.normal(size=(4, 4)) + 3
    drawn = moran_randomization(
        maps, vectors, n_rep=5, procedure="singleton", joint=True, random_state=SEED
    )
    signs = check_random_state(SEED).choice([-1.0, 1.0], size=(5, vectors.shape[1], 1))
    return {
        "moran_coords": coords,
        "moran_vectors": vectors,
        "moran_values": values,
        "moran_maps": maps,
        "moran_signs": signs[:, :, 0],
        "moran_drawn": drawn,
    }


if __name__ == "__main__":
    rng = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        found = {**spins(rng), **baum(rng, Path(folder)), **moran(rng)}
    packages = ("neuromaps", "brainspace", "numpy", "scipy", "scikit-learn")
    versions = np.array([f"{name}=={version(name)}" for name in packages])
    np.savez_compressed(
        Path(__file__).with_name("references.npz"),
        rotations=rotations(),
        versions=versions,
        **found,
    )
