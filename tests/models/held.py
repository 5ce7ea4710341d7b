"""Layers that hold several members."""

from __future__ import annotations

from gx2c.models.layers.population import holding


def held(n_members, build, *args, **keywords):
    """Build a layer that holds so many members."""
    with holding(n_members):
        return build(*args, **keywords)
