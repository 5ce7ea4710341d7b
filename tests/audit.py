"""Look up known vulnerabilities of the pinned packages: `make audit`.

Fails on a vulnerability, not where the database cannot be reached: then it says so.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

COMMAND = (
    "--requirement constraints.txt --no-deps --disable-pip --format json --progress-spinner off"
)


def judge(found: list[dict[str, Any]]) -> tuple[int, str]:
    """Return exit code and text for the packages of a report of pip-audit."""
    looked_up = [one for one in found if "vulns" in one]
    bad = [f"{o['name']} {o['version']}: {v['id']}" for o in looked_up for v in o["vulns"]]
    if bad:
        return 1, "known vulnerabilities:\n" + "\n".join(bad)
    if not looked_up:
        return 0, "not audited: the database of vulnerabilities cannot be reached from here"
    missing = [one["name"] for one in found if "vulns" not in one]
    rest = f"; not in the database: {', '.join(missing)}" if missing else ""
    return 0, f"no known vulnerability in {len(looked_up)} packages{rest}"


def main() -> None:
    """Run pip-audit on constraints.txt."""
    command = [sys.executable, "-m", "pip_audit", *COMMAND.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    try:
        found = json.loads(done.stdout)["dependencies"]
    except (ValueError, KeyError):
        found = []
    code, text = judge(found)
    print(f"audit: {text}")
    sys.exit(code)


if __name__ == "__main__":
    main()
