"""Chromosomes in order, and positions along the whole genome that can be ranked."""

from __future__ import annotations

import numpy as np

from gx2c.data.brain import FloatArray

CHROMOSOMES = (*(str(number) for number in range(1, 23)), "X", "Y", "MT")
# Longer than any chromosome, so that positions sort by chromosome first; exact in float64
CHROMOSOME_STRIDE = 1e10


def genome_position(chromosome: str, tss: float) -> float:
    """Place a transcription start along the genome, chromosome-major; NaN if unknown.

    Parameters
    ----------
    chromosome
        One of `CHROMOSOMES`; anything else is unknown.
    tss
        1-based position on the chromosome, or NaN.
    """
    if chromosome not in CHROMOSOMES:
        return float("nan")
    return CHROMOSOMES.index(chromosome) * CHROMOSOME_STRIDE + tss


def chromosome_and_tss(position: float) -> tuple[str, float]:
    """Undo `genome_position`; ("n/a", NaN) if unknown."""
    if np.isnan(position):
        return "n/a", float("nan")
    index, tss = divmod(position, CHROMOSOME_STRIDE)
    if index >= len(CHROMOSOMES):
        return "n/a", float("nan")
    return CHROMOSOMES[int(index)], tss


def genome_positions(chromosomes: list[str], tss: FloatArray) -> FloatArray:
    """Place many transcription starts along the genome, (n_genes,)."""
    pairs = zip(chromosomes, tss.tolist(), strict=True)
    return np.array([genome_position(chromosome, start) for chromosome, start in pairs])
