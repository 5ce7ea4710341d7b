"""Figures of importance, attention, embeddings and knock-outs."""

from collections.abc import Iterator

import numpy as np

from sweeps.folder.explained import read_attention, read_embedding
from sweeps.report.attention import groups_figure, heads_figure
from sweeps.report.brain_figures import is_possible, values_on_brain
from sweeps.report.connectomes import DIVERGING
from sweeps.report.embedding import SCALE, components_of, embedding_figure
from sweeps.report.importance import change_figure, pairs_figure, ranking_figure
from sweeps.report.picture import Picture
from sweeps.report.reading import RunFiles

# Kinds of units that are drawn by pair of networks
BY_PAIR = ("genes", "sets")
Named = Iterator[tuple[str, Picture]]


def ranking_figures(run: RunFiles) -> Named:
    """Draw the most important units of every kind."""
    for kind, table in run.explained.rankings.items():
        yield kind, ranking_figure(f"{kind} by {run.summary.model}", table)


def pair_figures(run: RunFiles) -> Named:
    """Draw the most important units by pair of networks."""
    for kind in BY_PAIR:
        table = run.explained.rankings.get(kind)
        picture = None if table is None else pairs_figure(f"{kind} by pair of networks", table)
        if picture is not None:
            yield kind, picture


def attention_figures(run: RunFiles) -> Named:
    """Draw the maps of every member's heads, and what its tokens receive."""
    for title, stem in run.explained.attention.items():
        found = read_attention(stem)
        yield f"{stem.name}_heads", heads_figure(title, found)
        yield f"{stem.name}_groups", groups_figure(title, found)


def embedding_figures(run: RunFiles) -> Named:
    """Draw every member's embeddings in the plane, and their first component on the brain."""
    for title, stem in run.explained.embeddings.items():
        labels, embedding = read_embedding(stem)
        if run.regions is None or not set(labels) <= set(run.regions.index):
            continue
        regions = run.regions.loc[list(labels)]
        plane = run.explained.plane
        yield stem.name, embedding_figure(title, embedding, regions, plane=plane)
        if is_possible():
            first = components_of(embedding)[0][:, 0]
            words = f"First component of the embeddings by {title} on the brain, four views."
            yield f"{stem.name}_brain", values_on_brain(regions, first, words, SCALE, signed=True)


def knock_out_figures(run: RunFiles) -> Named:
    """Draw the change of every knock-out's edges, and its mean over the edges of each region."""
    for name, found in run.explained.knock_outs.items():
        labels = list(found.labels)
        yield name, change_figure(found.title, found.change, run.networks(labels))
        if is_possible() and run.regions is not None and set(labels) <= set(run.regions.index):
            mean = np.nanmean(found.change, axis=1)
            words = f"Mean change of each region's edges in {found.title}, four views."
            regions = run.regions.loc[labels]
            yield f"{name}_brain", values_on_brain(regions, mean, words, DIVERGING, signed=True)
