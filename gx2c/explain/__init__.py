"""Explanations of saved models: attention, importance of genes, and virtual knock-outs."""

from gx2c.explain.attention import AttentionMaps, attention_maps
from gx2c.explain.cases import METHODS
from gx2c.explain.importance import Importance, importance, integrated_gradients
from gx2c.explain.knock_out import KnockOut, knock_out

__all__ = [
    "METHODS",
    "AttentionMaps",
    "Importance",
    "KnockOut",
    "attention_maps",
    "importance",
    "integrated_gradients",
    "knock_out",
]
