"""Check a cluster file offline and list every problem at once, before it costs money."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import yaml

from cluster.common import placeholder_problems
from cluster.launcher import launcher_problems
from cluster.rayjob import rayjob_problems

# By the "kind" of a Kubernetes object; the launcher's YAML has none
RULES: dict[str | None, Callable[[dict[str, Any], str, float, str], Iterator[str]]] = {
    None: launcher_problems,
    "RayJob": rayjob_problems,
}


def cluster_problems(
    path: Path, *, gpus_per_trial: float = 0.0, storage: str = ""
) -> tuple[str, ...]:
    """Check the YAML of `ray up`, or a KubeRay RayJob; an empty storage is the file's own.

    Parameters
    ----------
    path
        The file.
    gpus_per_trial, storage
        Options of the sweep that will run on the cluster; empty storage for the file's own.
    """
    try:
        text = path.read_text()
        config = yaml.safe_load(text)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        return (f"it cannot be read as YAML ({' '.join(str(error).split())})",)
    if not isinstance(config, dict):
        return ("it is not a mapping; give the YAML of `ray up` or of a RayJob",)
    kind = config.get("kind")
    if kind not in RULES:
        return (f"kind {kind!r} is not known; give the YAML of `ray up` or of a RayJob",)
    problems = list(placeholder_problems(path.name, text))
    try:
        for problem in RULES[kind](config, text, gpus_per_trial, storage):
            problems.append(problem)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        problems.append(f"a part of it does not have the required structure ({error})")
    return tuple(dict.fromkeys(problems))
