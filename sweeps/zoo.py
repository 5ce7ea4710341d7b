"""Sweep many models on the same folds and rank them: `gx2c sweep all`."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from gx2c.data import Brain, load_dataset
from gx2c.errors import UserError
from gx2c.models import MODELS
from search_spaces import SEARCH_SPACES
from sweeps.leaderboard import best_networks
from sweeps.leaderboard_page import write_leaderboard
from sweeps.options import GEOGRAPHY, PRESETS, SweepOptions, make_options
from sweeps.paths import SweepPaths, check_new_folder
from sweeps.plan import MIN_GEOGRAPHY_CONFIGS, plan_sweep
from sweeps.ray_session import ray_session
from sweeps.records import read_json, write_bytes
from sweeps.sweep import run_sweep
from sweeps.zoo_estimate import Estimate, estimate_seconds

ALL = "all"
# Nulls of a network are whole retrainings: only the best of them get any
N_NETWORKS_WITH_NULLS = 3
# The split under which beating spins says most; elsewhere nulls run only if asked for
SPLIT_WITH_NULLS = "bilateral"

Say = Callable[[str], None]


@dataclass(frozen=True)
class ZooRequest:
    """What was asked for.

    Attributes
    ----------
    models
        Names, geography first.
    preset
        A key of `PRESETS`.
    given
        Options given by name, the same for all models.
    """

    models: tuple[str, ...]
    preset: str
    given: Mapping[str, Any] = field(default_factory=dict)

    def options(self, model: str, *, with_nulls: bool = False) -> SweepOptions:
        """Return the options of one model's run.

        Parameters
        ----------
        model
            Which.
        with_nulls
            Whether a network gets nulls; closed forms that read genes always do.
        """
        closed = MODELS[model].kind == "closed_form"
        given = dict(self.given) | {"nulls": 0}
        if "expression" in MODELS[model].uses and (closed or with_nulls):
            given["nulls"] = self.n_nulls
        if not closed:
            given.pop("null_search", None)
        if storage := given.get("storage"):
            given["storage"] = f"{storage.rstrip('/')}/{model}"
        options = make_options(model, preset=self.preset, **given)
        if model == GEOGRAPHY:
            # as it is searched beside every other model
            n_configs = max(options.samples, MIN_GEOGRAPHY_CONFIGS)
            options = dataclasses.replace(options, samples=n_configs)
        return options

    @property
    def n_nulls(self) -> int:
        """Nulls of those models that get any."""
        asked = self.given.get("nulls")
        if asked is not None:
            return int(asked)
        split = self.given.get("split") or SPLIT_WITH_NULLS
        return int(PRESETS[self.preset]["nulls"]) if split == SPLIT_WITH_NULLS else 0


def parse_models(names: str) -> tuple[str, ...]:
    """Return the models that "all" or names joined by commas stand for, geography first.

    Raises
    ------
    UserError
        If a name is not that of a model.
    """
    named = list(SEARCH_SPACES) if names == ALL else [n.strip() for n in names.split(",")]
    if unknown := [name for name in named if name not in SEARCH_SPACES]:
        raise UserError(f"no models {unknown}; choose from {sorted(SEARCH_SPACES)}")
    return tuple(dict.fromkeys([GEOGRAPHY, *named]))


def sweep_zoo(
    request: ZooRequest, out: Path, *, resume: bool = False, say: Say = print
) -> dict[str, Any]:
    """Run a sweep per model under one folder, or what is left of them, and rank them.

    The folder holds a run folder per model, and the leaderboard after each of them.

    Raises
    ------
    UserError
        If the request cannot be; nothing has started then.
    """
    _check_folder(request, out, resume=resume)
    options = request.options(GEOGRAPHY)
    dataset = load_dataset(options.dataset)
    # what is wrong with the request is said before Ray starts
    plan_sweep(options, dataset)
    with ray_session(
        cpus_per_trial=options.cpus_per_trial,
        gpus_per_trial=abs(options.gpus_per_trial),
        shared=options.storage or str(out),
    ) as slots:
        at_once = min(slots, options.max_concurrent or slots)
        say(f"timing a few configs of each of {len(request.models)} models, a minute or more")
        estimated, left_out = _estimate_all(request, dataset)
        say(estimated.text(at_once))
        for model, why in left_out.items():
            say(f"{model} is left out: {why}")
        out.mkdir(parents=True, exist_ok=True)
        write_bytes(_request_path(out), yaml.safe_dump(_plain(request)).encode())
        return _Zoo(request, out, tuple(estimated.work), left_out, say).run()


@dataclass
class _Zoo:
    """One session of a sweep of many models."""

    request: ZooRequest
    out: Path
    models: tuple[str, ...]
    left_out: dict[str, str]
    say: Say

    def run(self) -> dict[str, Any]:
        for model in self.models:
            if not self._paths(model).summary.exists():
                self._run_one(model, self.request.options(model))
        if self.request.n_nulls:
            finished = [self._paths(m).root for m in self.models if m not in self.left_out]
            for model in best_networks(finished, N_NETWORKS_WITH_NULLS):
                self._add_nulls(model)
        return self._write()

    def _run_one(self, model: str, options: SweepOptions) -> None:
        paths = self._paths(model)
        # what is taken over is in no storage: there each run searches geography itself, alike
        alone = model == GEOGRAPHY or options.storage
        shared = None if alone else self._paths(GEOGRAPHY)
        self.say(f"{model} ({options.nulls} nulls)")
        try:
            run_sweep(options, paths.root, resume=paths.sweep.exists(), geography=shared)
        except UserError as error:
            if model == GEOGRAPHY:
                raise
            self.left_out[model] = str(error)
            self.say(f"{model} failed: {error}")
            return
        self._write()

    def _add_nulls(self, model: str) -> None:
        if read_json(self._paths(model).summary)["nulls"] is None:
            self._run_one(model, self.request.options(model, with_nulls=True))

    def _write(self) -> dict[str, Any]:
        finished = [self._paths(m).root for m in self.models if self._paths(m).summary.exists()]
        return write_leaderboard(self.out, finished, left_out=self.left_out)

    def _paths(self, model: str) -> SweepPaths:
        return SweepPaths(self.out / model)


def _estimate_all(request: ZooRequest, dataset: Brain) -> tuple[Estimate, dict[str, str]]:
    """Time a little of every model as it will run, on genes and side files of its own.

    One that cannot be made here is left out with the reason.
    """
    seconds: dict[str, float] = {}
    null_seconds: dict[str, float] = {}
    left_out: dict[str, str] = {}
    for model in request.models:
        try:
            plan = plan_sweep(request.options(model, with_nulls=True), dataset)
            work, nulls = estimate_seconds(plan)
        except UserError as error:
            if model == GEOGRAPHY:
                raise
            left_out[model] = str(error)
            continue
        seconds[model] = work
        null_seconds[model] = nulls
    return Estimate(seconds, null_seconds, N_NETWORKS_WITH_NULLS), left_out


def _check_folder(request: ZooRequest, out: Path, *, resume: bool) -> None:
    if not resume:
        check_new_folder(out, hint="add --resume to continue its sweeps, or give another --out")
        return
    try:
        before = yaml.safe_load(_request_path(out).read_text())
    except (OSError, yaml.YAMLError) as error:
        raise UserError(f"{out} holds no sweep of several models ({error})") from None
    if before != _plain(request):
        raise UserError(
            f"{out} was started with other models or options; resume with the same ones or give "
            "another --out"
        )


def _request_path(out: Path) -> Path:
    return out / "models.yaml"


def _plain(request: ZooRequest) -> dict[str, Any]:
    plain = asdict(request)
    return plain | {"models": list(request.models)}
