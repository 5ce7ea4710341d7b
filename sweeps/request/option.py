"""One option of a sweep: its values, effects and presentation."""

import pkgutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import MISSING, dataclass, field, fields, replace
from enum import Enum
from typing import Any, get_args, get_origin, get_type_hints

from gx2c.errors import UserError, offer


class Affects(Enum):
    """The effects of an option, which determine where two sweeps may differ in it.

    A resumed sweep must agree in all options except `PLACEMENT`, but nulls may be added. A sweep
    that learns from the trials of another (`--warm-start`) must agree only in `SCORE`.
    """

    SCORE = "the meaning of a trial's score"
    RESULT = "the scored trials, folds and models"
    NULLS = "only the null test"
    ROUNDING = "the last digits of numbers"
    PLACEMENT = "no result"


@dataclass(frozen=True, kw_only=True)
class Option:
    """An entry of the table of options.

    Attributes
    ----------
    name, type
        Name and type of the field, set by `options_of`.
    help
        One or two sentences for `--help` and docs/options.md.
    group
        Heading under which it is listed.
    affects
        Its effects.
    default
        Default for every model, or the value in files that lack it; `MISSING` if there is none.
    usually
        Description of a default that depends on other options.
    presets
        Defaults of presets that set another value.
    within
        Smallest and largest allowed value.
    unit
        Unit of a number.
    choices
        The allowed values, or "module:TABLE" for a table with these keys.
    retired
        Values of earlier versions, each with the sentence that names what replaces it.
    check
        Raises a `UserError` for invalid values; a function, or "module:function".
    condition
        Words that every output repeats if the value is not the default; {} is the value.
    flag
        Name on the command line; empty for an option without its own flag.
    alias
        Another name on the command line.
    read
        Parses the text of the command line.
    envvar
        Environment variable that is read if the option is not given.
    details
        Additional sentences for docs/options.md.
    """

    help: str
    group: str
    affects: Affects
    default: Any = MISSING
    usually: str = ""
    presets: Mapping[str, Any] = field(default_factory=dict)
    within: tuple[float | None, float | None] = (None, None)
    unit: str = ""
    choices: Collection[str] | str = ()
    retired: Mapping[str, str] = field(default_factory=dict)
    check: Callable[[Any], object] | str | None = None
    condition: str = ""
    flag: str | None = None
    alias: str = ""
    read: Callable[[str], Any] | None = None
    envvar: str | None = None
    details: str = ""
    name: str = ""
    type: Any = str

    @property
    def label(self) -> str:
        """The name shown to users."""
        return self.flag or self.name

    @property
    def value_type(self) -> Any:
        """The type of a given value: without None, and of one item of a tuple."""
        return next((kind for kind in get_args(self.type) if kind is not Ellipsis), self.type)

    @property
    def repeatable(self) -> bool:
        """Whether it can be given repeatedly."""
        return get_origin(self.type) is tuple

    def shown_default(self) -> str:
        """Return the default in words, with those of presets that differ."""
        if self.usually or self.default is MISSING:
            return self.usually
        words = [f"{preset} {shown(value)}" for preset, value in self.presets.items()]
        return ", ".join([shown(self.default), *words])

    def allowed(self) -> Collection[str]:
        """Return the allowed names; empty if any name is."""
        # tables are given by name, not imported: the command line starts without PyTorch
        choices = self.choices
        return list(pkgutil.resolve_name(choices)) if isinstance(choices, str) else choices

    def refuse_if_wrong(self, value: Any) -> Any:
        """Return a value of the right type if it is valid; the error states the valid ones."""
        if value in self.retired:
            raise UserError(self.retired[value])
        if (allowed := self.allowed()) and value not in allowed:
            name = self.name.replace("_", " ")
            raise UserError(f"no {name} {value!r}; {offer(value, allowed)}")
        check = pkgutil.resolve_name(self.check) if isinstance(self.check, str) else self.check
        if check is not None:
            try:
                check(value)
            except UserError as error:
                raise UserError(f"{self.label}: {error}") from None
        return value

    def wanted(self) -> str:
        """Return the valid values in words."""
        kind = {int: "a whole number", float: "a number", bool: "true or false"}
        words = kind.get(self.value_type, "text")
        if None in self.within:
            return words
        least, most = self.within
        return f"{words} from {least:,} to {most:,} {self.unit}".rstrip()


def shown(value: Any) -> str:
    """Return a default in the form of help texts and docs."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return "none" if value in (None, "", ()) else f"{value}"


def option(default: Any = MISSING, **entry: Any) -> Any:
    """Declare a field of a table of options; keywords are those of `Option`."""
    return field(default=default, metadata={"option": Option(default=default, **entry)})


def options_of(table: type) -> dict[str, Option]:
    """Return the entries of a dataclass whose fields were declared by `option`, in order."""
    types, found = get_type_hints(table), {}
    for one in fields(table):
        entry: Option = one.metadata["option"]
        flag = f"--{one.name.replace('_', '-')}" if entry.flag is None else entry.flag
        found[one.name] = replace(entry, name=one.name, type=types[one.name], flag=flag)
    return found
