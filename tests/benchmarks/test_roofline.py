"""What a piece of work asks of a machine is counted right."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from benchmarks.roofline import Work, count

FLOAT = 4


def test_a_product_and_a_sum():
    x, w, bias = torch.ones(3, 5, 7), torch.ones(3, 7, 11), torch.ones(3, 1, 11)
    work = count(lambda: torch.bmm(x, w).add_(bias))
    product = 3 * 5 * 11
    assert work.operations == (2 * product * 7, 0)
    read_and_written = (x.numel() + w.numel() + product, product + bias.numel() + product)
    assert work.n_bytes == tuple(FLOAT * n for n in read_and_written)


def test_views_and_expanded_axes_move_nothing():
    x = torch.ones(4, 1, 6)
    assert count(lambda: x.expand(4, 9, 6).transpose(1, 2)) == Work((), ())
    assert count(lambda: x.expand(4, 9, 6).sum()) == Work((0,), (FLOAT * (x.numel() + 1),))


def test_attention_counts_as_its_products_do():
    q, k, v = (torch.randn(6, 2, 5, 4, requires_grad=True) for _ in range(3))
    bias = torch.zeros(1, 2, 5, 5)
    forward = count(lambda: F.scaled_dot_product_attention(q, k, v, attn_mask=bias))
    assert sum(forward.operations) == 2 * (2 * 6 * 2 * 5 * 5 * 4)
    both = count(lambda: F.scaled_dot_product_attention(q, k, v, attn_mask=bias).sum().backward())
    # the scores once more, and two products for each of the two
    assert sum(both.operations) == sum(forward.operations) + 5 * (2 * 6 * 2 * 5 * 5 * 4)


def test_shares(monkeypatch):
    monkeypatch.setattr("benchmarks.roofline.matrix_rate", lambda: 100.0)
    monkeypatch.setattr("benchmarks.roofline.memory_rate", lambda: 10.0)
    # 1.5 s of products that hide their bytes, 1 s of bytes alone, 2 s of bytes over .5 of products
    shares = Work(operations=(150, 0, 50), n_bytes=(5, 10, 20)).shares(
        {"median": 8.0, "fastest": 6.0}
    )
    assert shares == {
        "roofline_fraction": pytest.approx(0.25),
        "fastest_roofline_fraction": pytest.approx(0.333),
        "attainable_fraction": pytest.approx(round(2 / (1.5 + 1 + 2), 3)),
    }
