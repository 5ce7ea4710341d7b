"""Sweep many models on the same folds and rank them: `gx2c sweep all`."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from gx2c.data import Brain, load_dataset
from gx2c.errors import UserError, offer
from gx2c.files import load_yaml
from gx2c.models.names import BEST, GEOGRAPHY, NAMES, spec_of
from search_spaces import SEARCH_SPACES
from sweeps.compare.leaderboard import Leaderboard, best_networks
from sweeps.compare.leaderboard_page import write_leaderboard
from sweeps.compare.zoo_estimate import ZooEstimate, estimate_model
from sweeps.folder.paths import SweepPaths, check_new_folder
from sweeps.folder.records import write_bytes
from sweeps.folder.summary_file import read_summary
from sweeps.request.options import PRESETS, SweepOptions, make_options
from sweeps.request.plan import MIN_GEOGRAPHY_CONFIGS, plan_sweep
from sweeps.request.table import NO_BUDGET
from sweeps.run.sweep import run_sweep
from sweeps.workers.ray_session import ray_session

ALL = "all"
REQUEST_FILE = "models.yaml"
# Each null of a network is a full retraining, so only the best networks get nulls
N_NETWORKS_WITH_NULLS = 3
# The split for which nulls are most informative; for others they run only on request
SPLIT_WITH_NULLS = "bilateral"

Say = Callable[[str], None]


@dataclass(frozen=True)
class ZooRequest:
    """The request of a sweep of many models.

    Attributes
    ----------
    models
        Names, geography first.
    preset
        A key of `PRESETS`.
    given
        Options given by the user, the same for all models.
    """

    models: tuple[str, ...]
    preset: str
    given: Mapping[str, Any] = field(default_factory=dict)

    def options(self, model: str, *, with_nulls: bool = False) -> SweepOptions:
        """Return the options of one model's run; `with_nulls` decides about the nulls of a network.

        Closed forms that read genes always get nulls.
        """
        closed = not spec_of(model).trains_in_epochs
        # models are ranked only if all were swept alike
        given = dict(self.given) | {"nulls": 0, "budget": NO_BUDGET}
        if "expression" in spec_of(model).uses and (closed or with_nulls):
            given["nulls"] = self.n_nulls
        if not closed:
            given.pop("null_search", None)
        if storage := given.get("storage"):
            given["storage"] = f"{storage.rstrip('/')}/{model}"
        options = make_options(model, preset=self.preset, **given)
        if model == GEOGRAPHY:
            # as many configs as in the sweep of every other model
            n_configs = max(options.samples, MIN_GEOGRAPHY_CONFIGS)
            options = dataclasses.replace(options, samples=n_configs)
        return options

    @property
    def n_nulls(self) -> int:
        """Number of nulls of the models that get any."""
        asked = self.given.get("nulls")
        if asked is not None:
            return int(asked)
        split = self.given.get("split") or SPLIT_WITH_NULLS
        return int(PRESETS[self.preset]["nulls"]) if split == SPLIT_WITH_NULLS else 0


def parse_models(names: str) -> tuple[str, ...]:
    """Return the models of "all" or of names joined by commas, geography first.

    Raises
    ------
    UserError
        If a name is not a model.
    """
    named = list(SEARCH_SPACES) if names == ALL else [n.strip() for n in names.split(",")]
    if BEST in named:
        raise UserError(
            f"{BEST} sweeps several models itself; sweep it alone, then rank it with the others: "
            "gx2c leaderboard RUN …"
        )
    if unknown := [name for name in named if name not in NAMES]:
        raise UserError(f"no models {unknown}; {offer(unknown[0], NAMES)}")
    return tuple(dict.fromkeys([GEOGRAPHY, *named]))


def sweep_zoo(
    request: ZooRequest, out: Path, *, resume: bool = False, say: Say = print
) -> Leaderboard:
    """Run or resume one sweep per model under one folder, and rank them.

    The folder contains a run folder per model; the leaderboard is updated after each of them.

    Raises
    ------
    UserError
        If the request is invalid, before anything starts.
    """
    _check_folder(request, out, resume=resume)
    options = request.options(GEOGRAPHY)
    dataset = load_dataset(options.dataset, trust_row_order=options.trust_row_order)
    # problems of the request are reported before Ray starts
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
            say(f"{model} is omitted: {why}")
        out.mkdir(parents=True, exist_ok=True)
        write_bytes(out / REQUEST_FILE, yaml.safe_dump(_plain(request)).encode())
        return _Zoo(request, out, tuple(estimated.work), left_out, say).run()


@dataclass
class _Zoo:
    request: ZooRequest
    out: Path
    models: tuple[str, ...]
    left_out: dict[str, str]
    say: Say

    def run(self) -> Leaderboard:
        for model in self.models:
            if not self._paths(model).summary.exists():
                self._run_one(model, self.request.options(model))
        if self.request.n_nulls:
            finished = [self._paths(m).root for m in self.models if m not in self.left_out]
            for model in best_networks(finished, N_NETWORKS_WITH_NULLS):
                if read_summary(self._paths(model)).nulls is None:
                    self._run_one(model, self.request.options(model, with_nulls=True))
        return self._write()

    def _run_one(self, model: str, options: SweepOptions) -> None:
        paths = self._paths(model)
        # an adopted search is in no storage, so runs with a storage search geography themselves
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

    def _write(self) -> Leaderboard:
        finished = [self._paths(m).root for m in self.models if self._paths(m).summary.exists()]
        return write_leaderboard(self.out, finished, left_out=self.left_out)

    def _paths(self, model: str) -> SweepPaths:
        return SweepPaths(self.out / model)


def _estimate_all(request: ZooRequest, dataset: Brain) -> tuple[ZooEstimate, dict[str, str]]:
    """Time a few configs of every model, with its own genes and side files.

    Models that cannot run here are omitted, with the reason.
    """
    seconds: dict[str, float] = {}
    null_seconds: dict[str, float] = {}
    left_out: dict[str, str] = {}
    for model in request.models:
        try:
            plan = plan_sweep(request.options(model, with_nulls=True), dataset)
            found = estimate_model(plan)
        except UserError as error:
            if model == GEOGRAPHY:
                raise
            left_out[model] = str(error)
            continue
        seconds[model] = found.search + found.retrain
        null_seconds[model] = found.nulls
    return ZooEstimate(seconds, null_seconds, N_NETWORKS_WITH_NULLS), left_out


def _check_folder(request: ZooRequest, out: Path, *, resume: bool) -> None:
    if not resume:
        check_new_folder(out, hint="add --resume to continue its sweeps, or give another --out")
        return
    try:
        before = load_yaml(out / REQUEST_FILE)
    except (OSError, ValueError) as error:
        raise UserError(f"{out} does not contain a sweep of several models ({error})") from None
    if before != _plain(request):
        raise UserError(
            f"{out} was started with other models or options; resume with the same ones or give "
            "another --out"
        )


def _plain(request: ZooRequest) -> dict[str, Any]:
    return asdict(request) | {"models": list(request.models)}
