from __future__ import annotations

from dataclasses import asdict

import pytest
import torch
from threadpoolctl import threadpool_info

from gx2c.fit import ComputeProfile


@pytest.fixture(autouse=True)
def threads_as_before():
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def blas_threads():
    return {pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"}


@pytest.mark.parametrize("threads", [1, 2])
def test_torch_and_blas_keep_to_the_profile(threads):
    with ComputeProfile(threads=threads).active():
        assert torch.get_num_threads() == threads
        assert blas_threads() <= {threads}


def test_threads_are_given_back_even_after_an_error():
    torch.set_num_threads(2)
    blas = blas_threads()
    with pytest.raises(ZeroDivisionError), ComputeProfile(threads=1).active():
        raise ZeroDivisionError
    assert torch.get_num_threads() == 2 and blas_threads() == blas


def test_profiles_nest():
    with ComputeProfile(threads=2).active():
        with ComputeProfile(threads=1).active():
            assert torch.get_num_threads() == 1
        assert torch.get_num_threads() == 2


def test_a_trial_without_a_gpu_computes_in_float32_on_the_cpu():
    profile = ComputeProfile.choose(gpu=False, threads=2)
    assert asdict(profile) == {
        "device": "cpu",
        "threads": 2,
        "dtype": "float32",
        "attention": "sdpa",
    }
    assert ComputeProfile(**asdict(profile)) == profile


@pytest.mark.parametrize(
    ("dtype", "expected"), [("float32", torch.float32), ("bfloat16", torch.bfloat16)]
)
def test_autocast_sets_the_number_format_of_products(dtype, expected):
    with ComputeProfile(dtype=dtype).autocast():
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == expected


V100, T4, A100, H100 = (7, 0), (7, 5), (8, 0), (9, 0)


@pytest.fixture
def device(monkeypatch):
    """Pretend that this process sits on a GPU of some compute capability."""

    def of(capability: tuple[int, int], *, flash: bool = True) -> None:
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda *_: capability)
        found = object() if flash else None
        monkeypatch.setattr("importlib.util.find_spec", lambda name: found)

    return of


@pytest.mark.parametrize(
    ("capability", "flash", "chosen"),
    [
        (V100, True, ("float32", "sdpa")),
        (T4, True, ("float32", "sdpa")),
        (A100, True, ("bfloat16", "flash")),
        (A100, False, ("bfloat16", "sdpa")),
        (H100, True, ("bfloat16", "flash")),
    ],
)
def test_the_device_of_the_process_chooses_kernel_and_number_format(
    device, capability, flash, chosen
):
    asked = ComputeProfile.choose(gpu=True, threads=2)
    assert (asked.dtype, asked.attention) == ("auto", "auto"), "the driver's node may have no GPU"
    device(capability, flash=flash)
    profile = asked.on_this_device()
    assert (profile.device, profile.threads) == ("cuda", 2)
    assert (profile.dtype, profile.attention) == chosen
    assert profile.on_this_device() == profile
