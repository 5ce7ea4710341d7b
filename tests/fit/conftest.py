from __future__ import annotations

import pytest
from small_fits import PROFILE


@pytest.fixture(autouse=True)
def one_thread():
    """Compute every test alike, however many others run beside it."""
    with PROFILE.active():
        yield
