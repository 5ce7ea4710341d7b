"""The model `best`: on each outer fold the mean of several retrained models' predictions."""

import time
from collections.abc import Sequence

from gx2c.data import Brain
from gx2c.files import file_digest
from gx2c.fit.scoring import mean_prediction
from gx2c.metrics import score_edges
from gx2c.models.names import BEST, FAMILIES
from gx2c.saved.joining import joined_files
from gx2c.saved.loading import load_model
from gx2c.splits import Fold
from sweeps.folder.paths import SweepPaths
from sweeps.folder.records import write_bytes, write_json
from sweeps.folder.results import read_connectome, read_result, write_connectome
from sweeps.request.plan import SweepPlan

# The share of each model, by its name
Weights = dict[str, float]


def equal_weights() -> Weights:
    """Return the weights of a plain mean."""
    return dict.fromkeys(FAMILIES, 1 / len(FAMILIES))


def read_weights(plan: SweepPlan, paths: SweepPaths) -> list[Weights]:
    """Return the weights of each outer fold; none of a run whose model is not `best`."""
    n_folds = len(plan.folds) if plan.options.model == BEST else 0
    return [read_result(paths, BEST, fold).weights for fold in range(n_folds)]


def combine(
    brain: Brain,
    folds: Sequence[Fold],
    paths: SweepPaths,
    number: int,
    weights: Weights,
    *,
    seed: int,
    save: bool = True,
) -> None:
    """Average the models' predictions of one outer fold, unless that is done.

    Parameters
    ----------
    brain, folds, paths
        The run, in which every model is retrained.
    number
        The outer fold.
    weights
        The share of each model.
    seed
        Seed of the sweep.
    save
        Whether to save the mean as a model too.
    """
    if paths.retrained(BEST, number).exists():
        return
    started, fold = time.monotonic(), folds[number]
    used = {name: weight for name, weight in weights.items() if weight}
    found = [read_connectome(paths.predicted(name, number, brain.name))[1] for name in used]
    # the diagonal, which is not data, has no numbers
    for one in found:
        one.flat[:: len(one) + 1] = 0.0
    predicted = mean_prediction(found, list(used.values()))
    measured = brain.connectome_block(fold.test_regions)
    scores = score_edges(predicted, measured, edges=fold.scored_edges())
    key = (BEST, number, brain.name)
    labels = [brain.labels[i] for i in fold.test_regions]
    write_connectome(paths.predicted(*key), labels, predicted)
    write_connectome(paths.measured(*key), labels, measured)
    if save:
        models = {name: load_model(paths.model_dir(name, seed, number)) for name in used}
        folder = paths.model_dir(BEST, seed, number)
        for name, content in joined_files(models, used, brain, scores).items():
            write_bytes(folder / name, content)
    *files, _ = paths.retrained_files(BEST, number)
    record = {
        "model": BEST,
        "fold": number,
        "config": {},
        "learning_rates": [],
        "seed": seed,
        "weights": weights,
        "test": scores,
        "seconds": time.monotonic() - started,
        "profile": read_result(paths, next(iter(used)), number).profile,
        "files": {path.name: file_digest(path) for path in files},
    }
    write_json(paths.retrained(BEST, number), record)
