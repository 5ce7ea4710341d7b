"""The estimator of each model, made from the model's declaration."""

import inspect
import re
import sys
from collections.abc import Callable, Mapping
from inspect import Parameter, Signature
from typing import Any, NamedTuple

from gx2c.errors import UserError
from gx2c.estimators.base import Estimator
from gx2c.fit.config import CONNECTOME
from gx2c.fit.features import EXPRESSION
from gx2c.models import MODELS
from gx2c.models.spec import TRAIN_TEST_EDGES, ModelSpec

# A network on all genes takes hours on a CPU; the quick preset of a sweep makes the same choice
NETWORK_GENES = "500_var"


class Shared(NamedTuple):
    """A parameter that many estimators have."""

    default: Any
    doc: str


TRAINING = {
    "n_epochs": Shared(60, "Epochs of training; an epoch visits as many pairs as there are."),
    "learning_rate": Shared(1e-3, "Highest learning rate of AdamW."),
    "weight_decay": Shared(1e-4, "Weight decay of AdamW."),
    "schedule": Shared(
        "cosine", '"cosine" (warm-up over a tenth of the epochs, then down to 0) or "constant".'
    ),
    "block_regions": Shared(32, "Regions encoded in one step; all their pairs are decoded."),
    "correlation_loss": Shared(0.0, "Share of 1 - r over a block in the loss; the rest is MSE."),
    "symmetric_loss": Shared(0.0, "Weight of the mean (y_ij - y_ji)^2 of a block in the loss."),
    "ema_decay": Shared(0.0, "Decay per step of averaged weights, which predict; 0 for none."),
}
GENES = {
    "genes": Shared("all", '"all", "<N>_var" (the N most variable), a gene group, or symbols.'),
    "gene_order": Shared("tss", '"tss" (along the genome), "expression", "random", "cluster_<N>".'),
}
INPUTS = {
    "inputs": Shared(
        EXPRESSION,
        "Inputs that describe a region, joined by +: expression, expression-pca:10, coordinates, "
        "structural, structural-laplacian:10, structural-adjacency:10.",
    )
}
TARGET = {
    "target": Shared(
        CONNECTOME,
        '"connectome", or "geography-residual": the residual of the geography baseline is learned.',
    )
}
COMPUTE = {"profile": Shared(None, "A `gx2c.fit.ComputeProfile`; None for one CPU thread.")}


def _shared_by(spec: ModelSpec) -> dict[str, Shared]:
    """Return the parameters of a model that do not belong to its class."""
    shared = dict(TRAINING) if spec.trains_in_epochs else {}
    if EXPRESSION in spec.uses:
        usual = NETWORK_GENES if spec.trains_in_epochs else GENES["genes"].default
        shared |= GENES
        shared["genes"] = shared["genes"]._replace(default=spec.usual_options.get("genes", usual))
        # nothing can replace a sequence of genes
        shared |= {} if spec.gene_tokens else INPUTS
        shared |= {} if TRAIN_TEST_EDGES in spec.uses else TARGET
    return shared | COMPUTE


def _make_init(defaults: Mapping[str, Any]) -> Callable[..., None]:
    def __init__(self: Estimator, **given: Any) -> None:
        if unknown := sorted(given.keys() - defaults.keys()):
            raise UserError(
                f"{type(self).__name__} has no parameter {unknown[0]!r}; it has {[*defaults]}"
            )
        for name, default in defaults.items():
            setattr(self, name, given.get(name, default))

    keywords = [
        Parameter(name, Parameter.KEYWORD_ONLY, default=default)
        for name, default in defaults.items()
    ]
    of_self = Parameter("self", Parameter.POSITIONAL_OR_KEYWORD)
    __init__.__signature__ = Signature([of_self, *keywords])  # type: ignore[attr-defined]
    return __init__


def _make_estimator(spec: ModelSpec) -> type[Estimator]:
    shared, docs = _shared_by(spec), _documented(spec)
    own = {name: spec.defaults[name] for names in docs for name in names.split(", ")}
    assert not own.keys() & shared.keys(), f"{spec.name} has a parameter of a shared name"
    docs |= {name: one.doc for name, one in shared.items()}
    parameters = "".join(f"{names}\n    {doc}\n" for names, doc in docs.items())
    text = (
        f"{spec.summary}.\n\nParameters\n----------\n{parameters}\n"
        f"References\n----------\n{spec.reference}.\n"
    )
    init = _make_init(own | {name: one.default for name, one in shared.items()})
    members = {"spec": spec, "__doc__": text, "__init__": init, "__module__": "gx2c.models"}
    return type(spec.class_name, (Estimator,), members)


def _documented(spec: ModelSpec) -> dict[str, str]:
    """Take descriptions of a model's own parameters, by name, from the classes that read them."""
    readers: list[Any] = [spec.builder, *spec.passes_to]
    if not spec.trains_in_epochs:
        readers += type(spec.build()).mro()
    found: dict[str, str] = {}
    wanted = dict.fromkeys(spec.defaults, "")
    for reader in readers:
        doc = inspect.getdoc(reader) or ""
        section = re.search(r"^Parameters\n-+\n(.*?)(?=^\S[^\n]*\n-+$|\Z)", doc, re.M | re.S)
        entries = re.findall(r"^(\S.*)\n((?:[ ].*\n?)+)", section[1] if section else "", re.M)
        for names, body in entries:
            here = [name for name in names.split(", ") if name in wanted]
            if here and (named := re.match(r"\s*See `(\w+)`", body)):
                other = getattr(sys.modules[reader.__module__], named[1], None)
                readers += [] if other in readers else [other]
            elif here:
                found[", ".join(here)] = body.strip()
                wanted = {name: "" for name in wanted if name not in here}
    return found | dict.fromkeys(wanted, f"See `{spec.builder.__name__}`.")


ESTIMATORS: dict[str, type[Estimator]] = {
    spec.class_name: _make_estimator(spec) for spec in MODELS.values()
}
