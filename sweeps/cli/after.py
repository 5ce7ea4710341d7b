"""Arguments and files that the commands on saved models share."""

import io
from collections.abc import Iterable, Mapping, Sequence
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
Out = Annotated[Path, typer.Option(help="A new folder for tables and pictures.")]
Dataset = Annotated[
    str,
    typer.Option(
        help="Dataset of the regions.",
        show_default="that of training",
        autocompletion=complete_dataset,
    ),
]


def open_models(model: Path, dataset: str, out: Path) -> "tuple[list[SavedModel], Brain]":
    """Load the models of a run or folder, and the brain that they are shown."""
    from gx2c.data import load_dataset
    from gx2c.saved.run import load_models
    from sweeps.folder.paths import SweepPaths, check_new_folder
    from sweeps.request.files import read_options

    check_new_folder(out, hint="give a folder that does not")
    models = load_models(model)
    paths = SweepPaths(model)
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
    fold = "all regions" if model.about.fold is None else f"fold {model.about.fold}"
    seed = f"seed {model.about.seed} " if _several_seeds(models) else ""
    return f"{model.name}, {seed}{fold}, member {member}"


def _several_seeds(models: "Sequence[SavedModel]") -> bool:
    return len({model.about.seed for model in models}) > 1


def write_array(path: Path, array: Any) -> None:
    """Write an array as npy."""
    import numpy as np

    from sweeps.folder.records import write_bytes

    buffer = io.BytesIO()
    np.save(buffer, array)
    write_bytes(path, buffer.getvalue())


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table as tab-separated text; numbers with 8 digits."""
    from gx2c.data.matrix import format_number, table_text
    from sweeps.folder.records import write_bytes

    cells = [[format_number(c, 8) if isinstance(c, float) else str(c) for c in row] for row in rows]
    write_bytes(path, table_text([list(header), *cells]).encode())


def write_connectomes(
    out: Path, regions: "Brain | Unmeasured", model: "SavedModel", found: Mapping[str, Any]
) -> None:
    """Write connectomes of a model's predictions by kind, on the scale that it was trained on."""
    from sweeps.folder.results import write_connectome

    dataset = model.about.dataset
    for kind, values in found.items():
        name = f"desc-{model.name}{kind}_meas-{dataset.measure}_relmat.tsv"
        path = out / f"atlas-{regions.name}_{name}"
        write_connectome(path, regions.labels, values * dataset.divisor)
        wrote(path)


def wrote(path: Path, what: str = "") -> None:
    """Print what was written."""
    print(f"wrote    {quote(str(path))}{what}")
