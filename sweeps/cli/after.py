"""Arguments and files that the commands on saved models share."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sweeps.cli.completion import complete_dataset, complete_run

if TYPE_CHECKING:
    from gx2c.data import Brain
    from gx2c.data.unmeasured import Unmeasured
    from gx2c.saved.model import SavedModel

Model = Annotated[
    Path,
    typer.Argument(
        help="A run folder, the folder of one saved model, or the name of a pretrained model.",
        autocompletion=complete_run,
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(
        help="A new folder for tables and pictures.",
        show_default="one in the run, which its report shows",
    ),
]
Dataset = Annotated[
    str,
    typer.Option(
        help="Dataset of the regions.",
        show_default="that of training",
        autocompletion=complete_dataset,
    ),
]


@dataclass(frozen=True)
class Results:
    """Where the results of a command go, and whether they are a run's own.

    Attributes
    ----------
    model
        The run, saved model or name that was given.
    folder
        The folder, empty or new.
    models
        Digest of the models.
    in_run
        Whether the report of the run shows it.
    """

    model: Path
    folder: Path
    models: str
    in_run: bool

    @classmethod
    def open(cls, model: Path, dataset: str, out: Path | None, name: str) -> "Results":
        """Take `out`, or the folder `name` of a run whose own dataset is shown.

        Raises
        ------
        UserError
            If there is no such model, or the folder holds something.
        """
        from gx2c.errors import UserError
        from gx2c.saved.pretrained import find_model
        from sweeps.folder.explained import digest_of
        from sweeps.folder.paths import SweepPaths, check_new_folder

        digest = digest_of(find_model(model))

        if out is None and (dataset or not SweepPaths(model).sweep.exists()):
            raise UserError(
                "--out is needed: only what a run's models see in its own dataset goes into its "
                "folder; give a new folder"
            )
        folder = model / name if out is None else out
        check_new_folder(folder, hint="delete it, or give another with --out")
        return cls(model, folder, digest, in_run=out is None)

    def close(self, **facts: Any) -> None:
        """Record what the results are of, and name the page that shows them."""
        from sweeps.folder.explained import seal_results

        seal_results(self.folder, self.models, **facts)
        if self.in_run:
            print(f"page     gx2c report {quote(str(self.model))} shows it")


def open_models(model: Path, dataset: str) -> "tuple[list[SavedModel], Brain]":
    """Load the models of a run or folder, and the brain that they are shown."""
    from gx2c.data import load_dataset
    from gx2c.saved.run import load_models
    from sweeps.folder.paths import SweepPaths
    from sweeps.request.files import read_options

    models, paths = load_models(model), SweepPaths(model)
    if dataset or not paths.sweep.exists():
        return models, load_dataset(dataset or models[0].about.dataset.name)
    options = read_options(paths)
    known = load_dataset(options.dataset, trust_row_order=options.trust_row_order)
    return models, options.view.of(known)


def stem_of(model: "SavedModel", models: "Sequence[SavedModel]") -> str:
    """Return the start of the names of a model's files, with its seed if there are several."""
    fold = "all" if model.about.fold is None else f"fold_{model.about.fold:02d}"
    seed = f"seed_{model.about.seed}_" if _several_seeds(models) else ""
    return f"{model.name}_{seed}{fold}"


def title_of(model: "SavedModel", models: "Sequence[SavedModel]", member: int) -> str:
    """Name a member of a model for people."""
    seed = f"seed {model.about.seed} " if _several_seeds(models) else ""
    return f"{model.name}, {seed}{model.trained_on}, member {member}"


def _several_seeds(models: "Sequence[SavedModel]") -> bool:
    return len({model.about.seed for model in models}) > 1


def write_connectomes(
    out: Path, regions: "Brain | Unmeasured", model: "SavedModel", found: Mapping[str, Any]
) -> None:
    """Write connectomes of a model's predictions by kind, on the scale that it was trained on."""
    from sweeps.folder.results import write_connectome

    dataset = model.about.dataset
    if (times := dataset.divisor) != 1:
        print(f"scale    that of {dataset.measure}: learned within [-1, 1], times {times:.4g}")
    for kind, values in found.items():
        name = f"desc-{model.name}{kind}_meas-{dataset.measure}_relmat.tsv"
        path = out / f"atlas-{regions.name}_{name}"
        write_connectome(path, regions.labels, values * dataset.divisor)
        wrote(path)


def wrote(path: Path, what: str = "") -> None:
    """Print what was written."""
    print(f"wrote    {quote(str(path))}{what}")
