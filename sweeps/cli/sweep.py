"""The command `gx2c sweep`: its options, its folder, and one model or several."""

import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from inspect import Parameter, Signature, signature
from pathlib import Path
from types import GenericAlias
from typing import Annotated, Any

import typer

from gx2c.errors import UserError
from sweeps.cli.completion import complete_dataset, complete_model, complete_run
from sweeps.folder.paths import RUNS, SweepPaths
from sweeps.request.option import Option
from sweeps.request.table import OPTIONS

EXIT_INTERRUPTED = 130


COMPLETED = {"dataset": complete_dataset, "init_from": complete_run}


def sweep(
    model: Annotated[
        str | None, typer.Argument(help=OPTIONS["model"].help, autocompletion=complete_model)
    ] = None,
    preset: Annotated[str, typer.Option(help=OPTIONS["preset"].help)] = OPTIONS["preset"].default,
    out: Annotated[
        Path | None, typer.Option(help="Run folder.", show_default="runs/MODEL-DATASET-SPLIT-TIME")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an interrupted sweep.")
    ] = False,
    notify: Annotated[
        str,
        typer.Option(
            help="Address to post to when the sweep finishes, fails or stops: JSON, or the forms "
            "of Slack and ntfy.",
            envvar="GX2C_NOTIFY",
            show_default="none",
        ),
    ] = "",
    from_geneex2conn: Annotated[
        Path | None,
        typer.Option(
            help="Experiment file of GeneEx2Conn to translate; MODEL and options replace its own.",
            show_default="none",
        ),
    ] = None,
    **values: Any,
) -> None:
    """Search, retrain and test one model on every outer fold, against geography and nulls."""
    given: Mapping[str, Any] = {
        name: tuple(value) if OPTIONS[name].repeatable else value
        for name, value in values.items()
        if value is not None and value != []
    }
    if from_geneex2conn is not None:
        model, given = _translated(from_geneex2conn, model, preset, given)
    elif model is None:
        raise typer.BadParameter("none is given; `gx2c models` lists them", param_hint="MODEL")
    prepare = _several if model == "all" or "," in model else _one
    folder, work = prepare(model, preset, given, out, resume=resume)
    from sweeps.run.notify import notifying

    try:
        with notifying(notify, folder):
            work()
    except KeyboardInterrupt as stop:
        reason = getattr(stop, "reason", "stopped")
        print(f"\n{reason}; go on with: {resume_command(sys.argv, folder)}", file=sys.stderr)
        raise typer.Exit(getattr(stop, "exit_code", EXIT_INTERRUPTED)) from None


def _parameter(one: Option) -> Parameter:
    """Return an option as a parameter that typer reads; None where it is not given."""
    shown = typer.Option(
        *filter(None, (one.flag, one.alias)),
        help=one.help,
        rich_help_panel=one.group,
        show_default=one.shown_default(),
        envvar=one.envvar,
        parser=one.read,
        autocompletion=COMPLETED.get(one.name),
    )
    kind = GenericAlias(list, one.value_type) if one.repeatable else one.value_type
    return Parameter(
        one.name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, shown]
    )


# what typer and click read in place of `values`
_own = list(signature(sweep, eval_str=True).parameters.values())[:-1]
_from_table = [_parameter(one) for one in OPTIONS.values() if one.flag]
vars(sweep)["__signature__"] = Signature([*_own, *_from_table])


def _translated(
    file: Path, model: str | None, preset: str, given: Mapping[str, Any]
) -> tuple[str, Mapping[str, Any]]:
    """Return model and options of a published experiment, and print how they differ from it."""
    from sweeps.cli.tables import print_line, print_table, terminal
    from sweeps.request.geneex2conn import translate

    found = translate(file, {**given, **({"model": model} if model else {})})
    print_table(found.rows, found.notes, left=found.rows[0])
    print_line(f"equivalent  {found.command(preset)}", terminal())
    return found.model, found.options


Prepared = tuple[Path, Callable[[], None]]


def _one(
    model: str, preset: str, given: Mapping[str, Any], out: Path | None, *, resume: bool
) -> Prepared:
    """Return the folder of one model's sweep, and what runs and prints it."""
    from sweeps.cli.summary_text import print_reductions, print_summary
    from sweeps.request.options import make_options
    from sweeps.run.sweep import run_sweep
    from sweeps.storage.session import fetch_command

    options = make_options(model, preset=preset, **given)
    folder = out or _run_folder(options, resume=resume)

    def work() -> None:
        print_reductions(options)
        print_summary(run_sweep(options, folder, resume=resume), SweepPaths(folder))
        if command := fetch_command(options.storage, SweepPaths(folder)):
            print(f"fetch    {command}")

    return folder, work


def _several(
    names: str, preset: str, given: Mapping[str, Any], out: Path | None, *, resume: bool
) -> Prepared:
    """Return the folder of several models' sweeps, and what runs and ranks them."""
    from sweeps.cli.tables import print_leaderboard
    from sweeps.compare.leaderboard_page import notes_of, table_of
    from sweeps.compare.zoo import ZooRequest, parse_models, sweep_zoo

    if only := sorted({"warm_start", "budget", "init_from"} & set(given)):
        raise UserError(f"{OPTIONS[only[0]].label} is for a sweep of one model")
    if resume and out is None:
        raise UserError("give the folder of the sweep to continue with --out")
    request = ZooRequest(parse_models(names), preset, given)
    folder = out or RUNS / f"{'all' if names == 'all' else 'several'}-{_now()}"

    def work() -> None:
        board = sweep_zoo(request, folder, resume=resume)
        print_leaderboard(table_of(board), notes_of(board))
        print(f"\nleaderboard   {shlex.quote(str(folder / 'leaderboard.md'))}, .json, .svg")

    return folder, work


def _run_folder(options: Any, *, resume: bool) -> Path:
    """Name a new folder, or find the latest unfinished one of the same kind."""
    stem = f"{options.model}-{Path(options.dataset).name}-{options.split}"
    if not resume:
        return RUNS / f"{stem}-{_now()}"
    for folder in sorted(RUNS.glob(f"{stem}-*"), reverse=True):
        if SweepPaths(folder).sweep.exists() and not SweepPaths(folder).summary.exists():
            return folder
    raise UserError(f"no unfinished sweep runs/{stem}-* to resume; give its folder with --out")


def _now() -> str:
    return f"{datetime.now():%Y%m%d-%H%M%S}"


def resume_command(arguments: Sequence[str], folder: Path) -> str:
    """Return the command that continues the sweep of a process with these arguments.

    One that was stopped before it wrote its options has nothing to resume.
    """
    is_script = Path(arguments[0]).parent.name == "sweeps"
    kept, skip = ["python", arguments[0]] if is_script else ["gx2c"], False
    for word in arguments[1:]:
        if not skip and word != "--resume" and word.partition("=")[0] != "--out":
            kept.append(word)
        skip = word == "--out"
    resume = ["--resume"] if any(folder.rglob(SweepPaths(folder).sweep.name)) else []
    return shlex.join([*kept, *resume, "--out", str(folder)])
