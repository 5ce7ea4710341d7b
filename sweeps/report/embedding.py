"""The picture of a model's embeddings: in the plane, and on the brain."""

from typing import Any

import numpy as np
import pandas as pd

from gx2c.data.brain import FloatArray
from gx2c.importing.picture import COLOURS
from gx2c.models.reduction import fit_pca
from sweeps.folder.regions import CENTROID, SIDES
from sweeps.report.picture import Picture

# Of left, right and both hemispheres
MARKERS = ("o", "s", "D")
SHAPES = ("left circles", "right squares", "both diamonds")
SCALE = "PuOr"
# Planes in which regions are drawn
PCA, TSNE_PLANE = PLANES = ("pca", "tsne")
# Neighbours that t-SNE keeps close; fewer than a third of the regions
PERPLEXITY = 30.0


def components_of(embedding: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the first two principal components of regions' embeddings.

    Parameters
    ----------
    embedding
        (n_regions, n_dims).

    Returns
    -------
    components, shares
        (n_regions, 2), and the share of variance of each, 0 where there is no second one.
    """
    found = fit_pca(embedding, n_components=2).transform(embedding)
    components = np.zeros((len(embedding), 2))
    components[:, : found.shape[1]] = found
    shares: FloatArray = components.var(axis=0) / embedding.var(axis=0).sum()
    return components, shares


def neighbours_of(embedding: FloatArray, *, seed: int = 0) -> FloatArray:
    """Return a plane in which regions of similar embeddings are close, by t-SNE.

    Parameters
    ----------
    embedding
        (n_regions, n_dims).
    seed
        Random seed.

    Returns
    -------
    FloatArray
        (n_regions, 2); distances between groups mean nothing.

    References
    ----------
    van der Maaten & Hinton (2008), J. Mach. Learn. Res. 9, 2579.
    """
    # scikit-learn takes a second to import
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(embedding) - 1) / 3)
    places = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(embedding)
    return np.asarray(places, dtype=np.float64)


def embedding_figure(
    title: str, embedding: FloatArray, regions: pd.DataFrame, *, plane: str = PCA
) -> Picture:
    """Draw regions by their embeddings, coloured by network, and the first axis on the brain.

    Parameters
    ----------
    title
        Model and fold.
    embedding
        (n_regions, n_dims), in the order of `regions`.
    regions
        As `read_regions` returns them.
    plane
        One of `PLANES`.
    """
    if plane == TSNE_PLANE:
        components, axis = neighbours_of(embedding), "t-SNE axis"
        axes_of, said = (f"{axis} 1", f"{axis} 2"), "by t-SNE"
    else:
        (components, shares), axis = components_of(embedding), "component"
        axes_of = (f"component 1 ({shares[0]:.0%} of variance)", f"component 2 ({shares[1]:.0%})")
        said = "first two principal components"
    networks = list(dict.fromkeys(regions["network"]))
    picture = Picture(
        f"Embeddings of {len(regions)} regions by {title}: {said}, "
        f"coloured by network ({', '.join(networks)}), and the first one on the brain from above.",
        size=(8.6, 4.4),
        grid=(1, 2),
        margins=(0.7, 0.4),
    )
    flat, above = picture.all_axes
    for number, network in enumerate(networks):
        label = network
        for side, marker in zip(SIDES, MARKERS, strict=True):
            here = (regions["network"] == network) & (regions["hemisphere"] == side)
            rows = np.flatnonzero(here)
            if not len(rows):
                continue
            x, y = components[rows].T
            colour = COLOURS[number % len(COLOURS)]
            look: dict[str, Any] = {"marker": marker, "edgecolor": "white", "linewidth": 0.5}
            marks = flat.scatter(x, y, s=26, color=colour, label=label, **look)
            picture.tip(marks, *(f"{name}, {network}" for name in regions.index[rows]))
            label = "_nolegend_"
    flat.legend(loc="upper left", bbox_to_anchor=(0, -0.14), ncols=5, fontsize=7.5, frameon=False)
    there = zip(SIDES, SHAPES, strict=True)
    sides = ", ".join(shape for side, shape in there if (regions["hemisphere"] == side).any())
    flat.set_title(f"{title} ({sides})", fontsize=9.5, loc="left")
    flat.set_xlabel(axes_of[0])
    flat.set_ylabel(axes_of[1])
    most = float(np.abs(components[:, 0]).max())
    x, y = regions[CENTROID[:2]].to_numpy().T
    colours: dict[str, Any] = {"c": components[:, 0], "cmap": SCALE, "vmin": -most, "vmax": most}
    marks = above.scatter(x, y, s=40, edgecolor="#565a64", linewidth=0.4, **colours)
    values = components[:, 0].tolist()
    picture.tip(marks, *(f"{n}: {v:.3g}" for n, v in zip(regions.index, values, strict=True)))
    above.set_aspect("equal")
    above.set_title(f"{axis} 1, from above", fontsize=9.5, loc="left")
    above.set_xlabel("x, mm")
    above.set_ylabel("y, mm")
    picture.figure.colorbar(marks, ax=above, shrink=0.7)
    picture.figure.subplots_adjust(bottom=0.3)
    return picture
