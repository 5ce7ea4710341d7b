"""The options of `abagen.get_expression_data`, under its names and with its defaults."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from gx2c.errors import UserError, did_you_mean

NORMALISATIONS = (
    "rs", "srs", "minmax", "center", "zscore", "sig", "scaled_sig", "scaled_sig_qnt", "mixed_sig",
)  # fmt: skip
PROBE_SELECTIONS = (
    "average", "max_intensity", "max_variance", "pc_loading", "corr_variance", "corr_intensity",
    "diff_stability", "rnaseq",
)  # fmt: skip
# The word for None on the command line
NONE = "none"


@dataclass(frozen=True)
class AbagenOption:
    """One option."""

    default: Any
    help: str
    kind: type = str
    choices: tuple[str, ...] = ()
    within: tuple[float, float] | None = None


ABAGEN_OPTIONS: Mapping[str, AbagenOption] = {
    "ibf_threshold": AbagenOption(
        0.5, "Share of samples in which a probe must exceed background.", float, within=(0, 1)
    ),
    "probe_selection": AbagenOption(
        "diff_stability", "How a gene's probe is chosen.", choices=PROBE_SELECTIONS
    ),
    "donor_probes": AbagenOption(
        "aggregate",
        "Donors in which probes are chosen.",
        choices=("aggregate", "independent", "common"),
    ),
    "sim_threshold": AbagenOption(
        None, "Drop samples whose similarity is so many SD below the mean.", float, within=(0, 1e9)
    ),
    "lr_mirror": AbagenOption(
        None,
        "Mirror samples to the other side.",
        choices=(NONE, "bidirectional", "leftright", "rightleft"),
    ),
    "exact": AbagenOption(None, "abagen's former name of missing: none or centroids.", bool),
    "missing": AbagenOption(
        None,
        "How regions without samples are filled.",
        choices=(NONE, "centroids", "interpolate"),
    ),
    "tolerance": AbagenOption(
        2, "Distance of a sample from its region, mm; on surfaces, SD above the mean.", int
    ),
    "sample_norm": AbagenOption(
        "srs", "Normalisation of each sample.", choices=(NONE, *NORMALISATIONS)
    ),
    "gene_norm": AbagenOption(
        "srs", "Normalisation of each gene.", choices=(NONE, *NORMALISATIONS)
    ),
    "norm_matched": AbagenOption(True, "Normalise over samples in regions only.", bool),
    "norm_structures": AbagenOption(False, "Normalise genes within structures.", bool),
    "region_agg": AbagenOption(
        "donors", "Average samples within donors first, or all.", choices=("donors", "samples")
    ),
    "agg_metric": AbagenOption("mean", "How samples are averaged.", choices=("mean", "median")),
    "corrected_mni": AbagenOption(True, "Use corrected MNI coordinates of samples.", bool),
    "reannotated": AbagenOption(True, "Use the probe annotation of Arnatkeviciute (2019).", bool),
    "donors": AbagenOption("all", "Donors, with commas between them."),
    "verbose": AbagenOption(0, "Verbosity of abagen, 0 to 2.", int, within=(0, 2)),
    "n_proc": AbagenOption(1, "Processes that download.", int, within=(1, 6)),
}
# abagen's results that are always written, and what other options of the command stand for
NOT_OPTIONS = ("return_counts", "return_donors", "return_report", "atlas", "atlas_info", "data_dir")
# Allen's name of each donor, and the number of its archive
DONORS = {
    "9861": ("H0351.2001", "178238387"),
    "10021": ("H0351.2002", "178238373"),
    "12876": ("H0351.1009", "178238359"),
    "14380": ("H0351.1012", "178238316"),
    "15496": ("H0351.1015", "178238266"),
    "15697": ("H0351.1016", "178236545"),
}


def abagen_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Complete options with abagen's defaults, as its function takes them.

    Raises
    ------
    UserError
        If there is no such option, or a value is not one of its own.
    """
    found = {}
    for name, value in given.items():
        if name not in ABAGEN_OPTIONS:
            hint = did_you_mean(name, ABAGEN_OPTIONS)
            raise UserError(f"abagen has no option {name!r}; {hint}see gx2c data ahba --help")
        found[name] = _checked(name, ABAGEN_OPTIONS[name], value)
    options = {name: one.default for name, one in ABAGEN_OPTIONS.items()} | found
    options["donors"] = donor_numbers(options["donors"])
    if options["exact"] is not None:
        options["missing"] = None if options["exact"] else "centroids"
    if options["probe_selection"] == "diff_stability" and len(options["donors"]) == 1:
        raise UserError(
            "differential stability needs two donors or more; give more --donors or another "
            "--probe-selection, such as max_intensity"
        )
    return {**options, "exact": None}


def _checked(name: str, one: AbagenOption, value: Any) -> Any:
    flag = f"--{name.replace('_', '-')}"
    if one.choices and value is not None and value not in one.choices:
        hint = did_you_mean(str(value), one.choices)
        raise UserError(f"{flag} {value}: {hint}choose from {', '.join(one.choices)}")
    if one.within and value is not None and not one.within[0] <= value <= one.within[1]:
        raise UserError(f"{flag} is {value}; give {one.within[0]:g} to {one.within[1]:g}")
    return None if value == NONE else value


def donor_numbers(donors: str) -> list[str]:
    """Read a list of donors, by number or by Allen's name, in the order that abagen gives them.

    Raises
    ------
    UserError
        If there is no such donor.
    """
    number = {name: key for key, names in DONORS.items() for name in (key, names[0])}
    wanted = list(DONORS) if donors == "all" else [name.strip() for name in donors.split(",")]
    if unknown := [name for name in wanted if name not in number]:
        raise UserError(f"there is no donor {unknown[0]!r}; choose from {', '.join(DONORS)}")
    return sorted({number[name] for name in wanted}, key=int)
