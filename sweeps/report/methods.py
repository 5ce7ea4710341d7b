"""A methods section, with citations, from the options that a run really used."""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from gx2c.models.names import NAMES, spec_of
from gx2c.nulls import SURROGATES
from sweeps.folder.summary_file import Summary
from sweeps.report.scores import is_sample
from sweeps.report.wording import counted

OPTUNA = "Akiba et al. (2019), KDD, 2623 (Optuna)"
TPE = "Bergstra et al. (2011), NeurIPS 24, 2546 (tree-structured Parzen estimator)"
ASHA = "Li et al. (2020), MLSys 2, 230 (asynchronous successive halving)"
TUNE = "Liaw et al. (2018), arXiv:1807.05118 (Ray Tune)"
KRIGING = "Cressie (1993), Statistics for Spatial Data, section 3.4 (kriging)"
DECAY = "Ercsey-Ravasz et al. (2013), Neuron 80(1), 184 (exponential distance rule)"
CORRECTED = "Nadeau & Bengio (2003), Mach. Learn. 52, 239 (corrected resampled t)"
VERTICES = "Snijders & Borgatti (1999), Connections 22(2), 161 (bootstrap of vertices)"
PERMUTED = "Phipson & Smyth (2010), Stat. Appl. Genet. Mol. Biol. 9(1), 39 (permutation p-values)"
SEQUENTIAL = "Besag & Clifford (1991), Biometrika 78(2), 301 (sequential Monte Carlo p-values)"

SPLITS = {
    "bilateral": "patches of neighbouring regions together with their homologues",
    "bilateral-random": "randomly drawn regions together with their homologues",
    "spatial": "patches of neighbouring regions",
    "random": "randomly drawn regions",
    "network": "the regions of one network at a time",
    "lobe": "the regions of one lobe at a time",
    "community": "communities of regions, found in another group's connectome",
    "community-structural": "communities of regions, found in the structural connectome",
    "community-target": "communities of regions, found in the connectome to be predicted",
}
SCHEDULERS = {
    "asha": "Networks that lagged behind were stopped early by successive halving",
    "asha-async": "Networks that lagged behind were stopped by asynchronous successive halving",
    "one-epoch": "Networks whose first epoch was poor were stopped",
    "none": "No network was stopped in favour of others",
}


class Methods(NamedTuple):
    """Paragraphs with numbered citations, and the works cited in that order."""

    paragraphs: list[str]
    works: list[str]


class _Writer:
    """Numbers works in the order of their citation."""

    def __init__(self) -> None:
        self.works: list[str] = []

    def cite(self, *works: str) -> str:
        numbers = []
        for work in works:
            if work not in self.works:
                self.works.append(work)
            numbers.append(self.works.index(work) + 1)
        return f" [{', '.join(map(str, numbers))}]"


def methods(s: Summary) -> Methods:
    """Write how the numbers of a run came about; empty for a run without its options."""
    options, writer = s.provenance.options, _Writer()
    if not options:
        return Methods([], [])
    parts = (_data, _held_out, _model, _baselines, _scores, _nulls, _software)
    paragraphs = [part(s, options, writer) for part in parts]
    return Methods([text for text in paragraphs if text], writer.works)


def _data(s: Summary, options: Mapping[str, Any], writer: _Writer) -> str:
    works = [w for w in s.provenance.dataset.get("references", "").split("\n") if w]
    genes = "no genes" if s.n_genes is None else counted(s.n_genes, "gene")
    words = (
        f"Models predicted the {options.get('target', 'functional')} connectome of the dataset "
        f"{s.dataset} ({counted(s.n_regions, 'region')}, {genes})"
        + (writer.cite(*works) if works else "")
        + "."
    )
    which = str(options.get("genes", "all"))
    if found := re.fullmatch(r"(\d+)_var", which):
        words += (
            f" The {int(found[1]):,} genes that vary most were chosen on the training regions of "
            "each fold."
        )
    elif which != "all":
        words += f" Genes: {which}."
    return words + (f" Conditions: {', '.join(s.conditions)}." if s.conditions else "")


def _held_out(s: Summary, options: Mapping[str, Any], writer: _Writer) -> str:
    what = SPLITS.get(s.split, f"the groups of the split {s.split}")
    buffer = float(options.get("buffer_mm") or 0.0)
    return (
        f"Regions, never edges, were held out: {what}, in {counted(len(s.folds), 'outer fold')} "
        f"(split {s.split}, {s.seeds_named}). Test regions took part in nothing before they were "
        "scored: genes, features, scaling, hyperparameters, epochs and ensemble weights were "
        f"chosen on {counted(int(options.get('inner_folds', 0)), 'inner fold')} of each outer "
        "fold's training regions."
        + (f" Training regions within {buffer:g} mm of a held-out one were dropped." * bool(buffer))
    )


def _model(s: Summary, options: Mapping[str, Any], writer: _Writer) -> str:
    if s.model not in NAMES:
        return ""
    spec = spec_of(s.model)
    # a word such as MLP keeps its capitals
    lower = spec.summary[1:2].islower()
    summary = f"{spec.summary[0].lower()}{spec.summary[1:]}" if lower else spec.summary
    tried = counted(int(options.get("samples", 0)), "config")
    words = (
        f"The model {s.model} is: {summary}{writer.cite(spec.reference)}. "
        f"In each outer fold, {tried} were proposed by a tree-structured Parzen estimator"
        f"{writer.cite(TPE, OPTUNA)} and ran as trials of Ray Tune{writer.cite(TUNE)}."
    )
    if spec.trains_in_epochs:
        scheduler = str(options.get("scheduler", "none"))
        rule = SCHEDULERS.get(scheduler, f"Scheduler: {scheduler}")
        works = writer.cite(ASHA) if scheduler.startswith("asha") else ""
        words += f" {rule}{works}, after at most {int(options.get('max_epochs', 0))} epochs."
    measure = {"val_mse": "mean squared error", "val_pearson_r": "Pearson r"}
    by = measure.get(str(options.get("metric")), "score")
    words += f" Configs were ranked by their {by} on the inner folds."
    averaged = f" The prediction is the mean of {s.members} retrained models." if s.single else ""
    alone = " The best config was retrained on all training regions of the outer fold."
    return words + (averaged or alone)


def _baselines(s: Summary, options: Mapping[str, Any], writer: _Writer) -> str:
    if s.geography is None:
        return ""
    return (
        "Geography, the baseline of every result, is universal kriging of the connectome on "
        f"mirrored coordinates and distances, without genes{writer.cite(KRIGING)}, searched on the "
        "same inner folds. The gain is the model's score minus geography's on the same test edges. "
        f"Distance decay is an exponential of mirrored distance{writer.cite(DECAY)}."
    )


def _scores(s: Summary, options: Mapping[str, Any], writer: _Writer) -> str:
    words = (
        "Scores compare predicted with measured values of the undirected edges among the test "
        "regions of each outer fold, and are averaged over folds."
    )
    if is_sample(s):
        words += (
            " Intervals of means over folds are 95 % intervals of the corrected resampled t-test"
            f"{writer.cite(CORRECTED)}."
        )
    else:
        words += " The folds of this run are no sample, so their mean has no interval."
    if s.verdict is not None:
        words += (
            " The verdict's bounds are one-sided 95 % limits of gains when regions are resampled"
            f"{writer.cite(VERTICES)}."
        )
    return words


def _nulls(s: Summary, options: Mapping[str, Any], writer: _Writer) -> str:
    if s.nulls is None:
        return "No nulls were run."
    found = {s.nulls.method: s.nulls} | s.more_nulls
    kinds = []
    for kind, nulls in found.items():
        spec = SURROGATES.get(kind)
        own = spec is None or spec.reference.startswith("docs/")
        works = "" if own or spec is None else writer.cite(spec.reference)
        kinds.append(f"{nulls.n:,} {kind} surrogates{works}")
    tuned = s.nulls.search not in ("", "full")
    search = f" ({s.nulls.search})" if tuned else ", its search repeated"
    words = (
        f"Null distributions come from {' and '.join(kinds)}, which replace {s.nulls.moved} and "
        f"leave all else as it is; each is retrained in full{search}, and p counts "
        f"the observed value among the nulls{writer.cite(PERMUTED)}."
    )
    tests = {} if s.verdict is None else s.verdict.evidence.nulls
    if any(test.stopped for test in tests.values()):
        words += f" Tests that could no longer be significant ended early{writer.cite(SEQUENTIAL)}."
    return words


def _software(s: Summary, options: Mapping[str, Any], writer: _Writer) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in s.provenance.versions.items())
    return f"Software: {versions}." if versions else ""
