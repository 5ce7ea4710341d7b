"""What holds for all fits here: one thread, no GPU, and short autoencoders."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from cases import PROFILE

from gx2c.models.layers import reduced_genes


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with PROFILE.active():
        yield


@pytest.fixture(autouse=True)
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks CUDA for anything at all fails."""

    def refuse(*args: object) -> None:
        raise AssertionError("this fit is to run on the CPU")

    monkeypatch.setattr(torch.cuda, "_lazy_init", refuse)


@pytest.fixture(autouse=True)
def short_autoencoders(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Their 150 steps take most of a fit; only what they find depends on the number."""
    if "finds_what_is_planted" not in request.node.name:
        monkeypatch.setattr(reduced_genes, "N_STEPS", 5)
