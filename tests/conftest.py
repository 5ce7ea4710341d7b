"""One thread a test process, fixed examples, no waiting for the disk, no unlisted skip.

Skipped tests are counted and printed; in CI an unlisted one fails the run.
"""

from __future__ import annotations

import os
from pathlib import Path

# read when numpy and torch are imported: test processes run side by side, one a core
for library in ("OMP", "OPENBLAS", "MKL"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import pytest  # noqa: E402
from hypothesis import settings  # noqa: E402

# the same examples in every run; `--hypothesis-profile fresh` draws others (make test-slow)
settings.register_profile("fixed", derandomize=True, deadline=None)
settings.register_profile("fresh", deadline=None, print_blob=True)
settings.load_profile("fixed")

# No test cuts the power, and thousands of files are written
os.fsync = lambda _: None

ALLOWED = Path(__file__).parent / "allowed_skips.txt"


def allowed_skips() -> dict[str, str]:
    """Return why a test may be skipped, by the start of its id; `id | reason` a line."""
    lines = [line for line in ALLOWED.read_text().splitlines() if line and line[0] != "#"]
    return {name.strip(): reason.strip() for name, _, reason in (x.partition("|") for x in lines)}


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put tests that start a whole cluster after all others, each group in its own order."""
    items.sort(key=lambda item: item.get_closest_marker("last") is not None)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    allowed = allowed_skips()
    unlisted = [r.nodeid for r in skipped if not any(r.nodeid.startswith(a) for a in allowed)]
    terminalreporter.write_line(f"{len(skipped)} skipped, {len(unlisted)} of them not listed")
    for name in unlisted:
        terminalreporter.write_line(f"  not listed in tests/allowed_skips.txt: {name}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not os.environ.get("CI"):
        return
    allowed = allowed_skips()
    skipped = reporter.stats.get("skipped", [])
    unlisted = [r for r in skipped if not any(r.nodeid.startswith(a) for a in allowed)]
    if unlisted and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
