"""The commands `gx2c predict` and `gx2c fit`: saved models on new regions, and on all regions."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sweeps.cli.after import Model, write_connectomes, wrote
from sweeps.cli.completion import complete_model, complete_run

if TYPE_CHECKING:
    from gx2c.data import Brain
    from gx2c.data.unmeasured import Unmeasured
    from gx2c.saved.model import SavedModel


def predict(
    model: Model,
    expression: Annotated[
        str, typer.Option(help="A table of regions x genes, or a dataset by name or folder.")
    ],
    out: Annotated[Path, typer.Option(help="A new folder for the predicted connectome.")],
    regions: Annotated[
        Path | None,
        typer.Option(
            help="A table of the regions with x, y, z in MNI mm.",
            show_default="places of the regions in training, by label",
        ),
    ] = None,
    max_missing: Annotated[
        float,
        typer.Option(
            help="Largest share of a model's genes that may be missing; they stand at their "
            "training means.",
            min=0.0,
            max=1.0,
        ),
    ] = 0.1,
) -> None:
    """Predict the connectome of new regions with the models of a run; no Ray, no dataset."""
    from gx2c.saved.run import load_models, predict_mean
    from sweeps.folder.paths import check_new_folder

    check_new_folder(out, hint="give a folder that does not")
    models = load_models(model)
    brain = _new_regions(expression, regions, models[0])
    mean, deviation = predict_mean(models, brain, most_missing=max_missing)
    n_members = sum(one.n_members for one in models)
    for line in _facts(models, n_members, brain):
        print(line)
    spread = {"Sd": deviation} if n_members > 1 else {}
    write_connectomes(out, brain, models[0], {"Mean": mean} | spread)


def fit(
    model: Annotated[
        str, typer.Argument(help="A model of the sweep.", autocompletion=complete_model)
    ],
    config: Annotated[
        Path,
        typer.Option(help="A finished run, or the best.yaml in it.", autocompletion=complete_run),
    ],
    out: Annotated[Path, typer.Option(help="A new folder for the model.")],
    init_from: Annotated[
        str,
        typer.Option(
            help="Saved model from which networks start (gx2c sweep --help).",
            show_default="that of the run",
        ),
    ] = "",
) -> None:
    """Fit a final model on all regions, with the best configs of a search on all of them."""
    from gx2c.saved.loading import load_model
    from sweeps.run.final import fit_final

    expected = fit_final(config, model, out, init_from=init_from)
    saved = load_model(out)
    print(f"model    {saved!r}")
    r = expected.get("pearson_r")
    score = "that of its sweep" if r is None else f"test r {r:.3f}, the mean over the sweep's folds"
    if init_from and not expected:
        score = f"unknown: the sweep's networks did not start from {init_from}"
    print(f"expected {score}; no region is left to test this model itself")
    wrote(out)


def _new_regions(
    expression: str, regions: Path | None, model: "SavedModel"
) -> "Brain | Unmeasured":
    from gx2c.data import load_dataset
    from gx2c.importing.new_regions import read_new_regions

    if not Path(expression).is_file():
        return load_dataset(expression)
    found = read_new_regions(Path(expression), regions, known=model.regions)
    for note in found.notes:
        print(f"read     {note}")
    return found.regions


def _facts(
    models: Sequence["SavedModel"], n_members: int, brain: "Brain | Unmeasured"
) -> Iterator[str]:
    import numpy as np

    from gx2c.saved.seen import may_have_seen

    about = models[0].about
    folds = f" ({len(models)} folds)" if len(models) > 1 else ""
    yield f"model    {about.model}: " + (
        f"mean and SD over {n_members} members{folds}" if n_members > 1 else f"{models[0]!r}"
    )
    if about.conditions:
        yield f"trained  with {', '.join(about.conditions)}"
    known = [m.about.scores or m.about.expected for m in models]
    scores = [s for one in known if (s := one.get("pearson_r")) is not None]
    if scores:
        r = sum(scores) / len(scores)
        yield f"score    test r {r:.3f} on held-out regions of {about.dataset.name}"
    seen = np.any([may_have_seen(one, brain) for one in models], axis=0)
    if seen.any():
        yield (
            f"note     {seen.sum()} of {brain.n_regions} regions are, or may overlap, training "
            "regions of some model: their predicted edges test nothing"
        )
