"""Explanations of saved models: attention, importance of genes, and virtual knock-outs."""

from gx2c.explain.attention import AttentionMaps, attention_maps

__all__ = ["AttentionMaps", "attention_maps"]
