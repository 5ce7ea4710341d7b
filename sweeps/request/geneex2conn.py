"""Experiment files of GeneEx2Conn as options of a sweep, with the reason for every difference."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gx2c.data.checks import shown
from gx2c.errors import UserError, did_you_mean
from gx2c.files import load_yaml
from sweeps.request.geneex2conn_names import MODELS, Ours
from sweeps.request.geneex2conn_options import PUBLISHED, Request
from sweeps.request.geneex2conn_search import NOTE, axes_of, read_search
from sweeps.request.gpu_share import AUTO_GPUS
from sweeps.request.options import check_values
from sweeps.request.table import OPTIONS

# Differences that no option of a file asks for
ALWAYS = (
    "test regions choose nothing: learning rates, epochs and configs come from all inner folds; "
    "there, the test fold steers training, and one inner fold ranks the configs",
    "the best configs are averaged and compared with geography, which reads no genes; "
    "--ensemble 1 retrains the best one alone, as there",
)
# Values of a list, and characters of a value, in the printed table
_SHOWN, _LONGEST = 8, 200
_HINT = "give an experiment file of GeneEx2Conn, which holds options such as model_type"


@dataclass(frozen=True)
class Translation:
    """A published experiment, or search of a model, as a sweep.

    Attributes
    ----------
    model
        Name of the model.
    options
        Other options that differ from the defaults here, those of the command line included.
    rows
        For each published option "published", "here" and "difference".
    notes
        Differences that no option asks for.
    """

    model: str
    options: Mapping[str, Any]
    rows: Sequence[Mapping[str, str]]
    notes: Sequence[str] = ALWAYS

    def command(self, preset: str) -> str:
        """Return the command that sweeps the same without the file."""
        words = ["--preset", preset] * (preset != OPTIONS["preset"].default)
        for name, value in self.options.items():
            words += flags(name, value)
        return shlex.join(["gx2c", "sweep", self.model, *words])


def flags(name: str, value: Any) -> list[str]:
    """Return an option with its value as words of the command line; none if it is off."""
    one = OPTIONS[name]
    if one.value_type is bool:
        return [one.label] * value
    values = value if one.repeatable else [value]
    if name == "gpus_per_trial" and value == AUTO_GPUS:
        values = ["auto"]
    return [word for v in values for word in (one.label, f"{v}")]


def translate(path: Path, given: Mapping[str, Any]) -> Translation:
    """Translate an experiment file of GeneEx2Conn, or the ranges of a model's search there.

    Parameters
    ----------
    path
        A YAML file; nothing in it is executed.
    given
        Options of the command line, and perhaps "model": they replace those of the file.

    Raises
    ------
    UserError
        If it is no such file, or holds what has no meaning here; the message names everything.
    """
    file = _read(path)
    if "parameters" in file:
        return _translate_search(path, file, given)
    return _translate(path, file, given)


def _translate(path: Path, file: Mapping[Any, Any], given: Mapping[str, Any]) -> Translation:
    there = {name: file.get(name, one.default) for name, one in PUBLISHED.items()}
    chosen, rows, problems = dict(given), [], list(_unknown(file))
    for name, one in PUBLISHED.items():
        request = Request(there, given, chosen)
        replaced = [other for other in one.replaced_by if other in given]
        if replaced:
            ours = Ours({other: given[other] for other in replaced}, "given on the command line")
        else:
            try:
                ours = one.rule(there[name], request)
                check_values(ours.options)
            except UserError as error:
                problems.append(f"{name}: {error}")
                continue
        chosen |= {n: v for n, v in ours.options.items() if n not in given}
        if name in file or any(_acts(n, v) for n, v in ours.options.items()):
            rows.append(_row(name, there[name], ours, stated=name in file))
    if problems:
        raise UserError(f"{path}: {'; '.join(problems)}")
    model = chosen.pop("model")
    return Translation(model, {n: v for n, v in chosen.items() if n in given or _acts(n, v)}, rows)


def _translate_search(path: Path, file: Mapping[Any, Any], given: Mapping[str, Any]) -> Translation:
    """Translate a model with the published defaults of an experiment, and name what it varies."""
    model, parameters = read_search(path, file)
    # a list is no key
    if "model" not in given and not (isinstance(model, str) and model in MODELS):
        ways = "write its model as name, such as name: shared_transformer, or give MODEL"
        hint = did_you_mean(f"{model}", MODELS)
        raise UserError(f"{path}: GeneEx2Conn has no model {model!r}; {hint}{ways}")
    found = _translate(path, {"model_type": model}, given)
    rows, options = list(found.rows), dict(found.options)
    try:
        axes = list(axes_of(found.model, parameters))
        for *_, ours in axes:
            check_values(ours.options)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    for name, axis, ours in axes:
        row = _row(name, parameters[name], ours, stated=True)
        rows.append(row if axis is None else row | {"here": f"{axis} (searched)"})
        options = {**ours.options, **options}
    return Translation(found.model, options, rows, (*ALWAYS, NOTE.format(found.model)))


def _read(path: Path) -> Mapping[str, Any]:
    try:
        file = load_yaml(path)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}); {_HINT}") from None
    except ValueError as error:
        raise UserError(f"{path} is not YAML ({error}); {_HINT}") from None
    if not isinstance(file, dict) or not set(file) & {"parameters", *PUBLISHED}:
        raise UserError(f"{path} holds no experiment; {_HINT}")
    return file


def _unknown(file: Mapping[Any, Any]) -> Iterator[str]:
    """Yield what is wrong with the names of options in a file."""
    unknown = [str(name) for name in file if name not in PUBLISHED]
    if unknown:
        hint = did_you_mean(unknown[0], PUBLISHED)
        yield f"GeneEx2Conn has no option {shown(unknown)}; {hint}remove what it does not read"


def _acts(name: str, value: Any) -> bool:
    """Return whether an option must be given to have a value."""
    one = OPTIONS[name]
    return bool(one.presets or one.usually) or value != one.default


def _row(name: str, value: Any, ours: Ours, *, stated: bool) -> dict[str, str]:
    words = [word for option, v in ours.options.items() for word in _here(option, v)]
    by_default = "" if stated else ", the default there"
    return {
        "published": f"{name}: {_written(value)}{by_default}",
        "here": " ".join(words) or "-",
        "difference": ours.why or "none",
    }


def _here(option: str, value: Any) -> list[str]:
    return [value] if option == "model" else flags(option, value)


def _written(value: Any) -> str:
    """Return a value much as a YAML file has it, and the number of values that are left out."""
    if isinstance(value, list | tuple):
        few = [f"{v}" if isinstance(v, list) else _written(v) for v in value[:_SHOWN]]
        more = [f"{len(value) - _SHOWN} more"] * (len(value) > _SHOWN)
        return _cut(", ".join(few + more))
    if isinstance(value, dict):
        return _cut(" ".join(f"{k}" if v is None else f"{k}_{v}" for k, v in value.items()))
    return _cut({"True": "true", "False": "false", "None": "null"}.get(f"{value}", f"{value}"))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
