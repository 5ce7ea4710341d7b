"""The command `gx2c`; everything heavy is imported only by the command that needs it."""

import errno
import logging
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from gx2c import __version__
from gx2c.errors import DataError, UserError
from gx2c.files import ordinary
from sweeps.cli.completion import complete_dataset, complete_model
from sweeps.cli.data import data_app
from sweeps.cli.embed import attention, embed
from sweeps.cli.explain import explain
from sweeps.cli.nulls import nulls_app
from sweeps.cli.predict import fit, predict
from sweeps.cli.runs import (
    AsJson,
    compare,
    dashboard,
    fetch,
    figures,
    leaderboard,
    report,
    rerun,
    status,
    study,
    tables,
)
from sweeps.cli.sweep import sweep
from sweeps.request.gpu_share import read_gpu_share
from sweeps.request.table import OPTIONS

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
SUBJECTS = {
    "Sweeps": (sweep, rerun, fetch),
    "Looking at runs": (status, dashboard, report, figures, tables, study),
    "Comparing": (compare, leaderboard),
    "After a sweep": (predict, fit, explain, attention, embed),
}
for subject, of_subject in SUBJECTS.items():
    for command in of_subject:
        app.command(rich_help_panel=subject)(command)
cluster_app = typer.Typer(help="Cluster files: check.", no_args_is_help=True)
app.add_typer(nulls_app, name="nulls", rich_help_panel="Comparing")
app.add_typer(data_app, name="data", rich_help_panel="Data and models")
app.add_typer(cluster_app, name="cluster", rich_help_panel="Machines")

EXIT_USER_ERROR = 2
_NO_OUTPUT = (errno.ENOSPC, errno.EDQUOT, errno.EIO)
_NO_PATH = (errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR)
SOURCE = Path(__file__).parents[2]


def _print_version(asked: bool) -> None:
    if asked:
        print(f"gx2c {__version__}")
        raise typer.Exit


@app.callback(
    help="How well does regional gene expression predict the connectome, beyond geography?"
)
def _gx2c(
    version: Annotated[
        bool,
        typer.Option(
            "--version", help="Print the version.", callback=_print_version, is_eager=True
        ),
    ] = False,
) -> None:
    """Read the options that stand before a command."""


@app.command(rich_help_panel="Machines")
def bench(
    name: Annotated[str | None, typer.Argument(help="Which benchmark; omit to list them.")] = None,
    as_json: AsJson = False,
) -> None:
    """Measure something on this machine; see docs/performance.md."""
    # benchmarks stand above sweeps, so they run as a program of their own
    if not (SOURCE / "benchmarks" / "__main__.py").is_file():
        raise UserError("benchmarks are not installed; run them from a clone of the repository")
    arguments = [*([name] if name else []), *(["--json"] if as_json else [])]
    # -P and a path: nothing in the working directory takes the place of a package
    path = os.pathsep.join([str(SOURCE), *os.environ.get("PYTHONPATH", "").split(os.pathsep)])
    done = subprocess.run(
        [sys.executable, "-P", "-m", "benchmarks", *arguments],
        env=os.environ | {"PYTHONPATH": path.rstrip(os.pathsep)},
    )
    raise typer.Exit(done.returncode)


@app.command(rich_help_panel="Data and models")
def models(
    name: Annotated[
        str | None,
        typer.Argument(
            help="Model to show in detail; omit to list all.", autocompletion=complete_model
        ),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            help="Dataset to count parameters and ranges for.",
            show_default="published",
            autocompletion=complete_dataset,
        ),
    ] = None,
    pretrained: Annotated[
        bool, typer.Option("--pretrained", help="List the fitted models that come with gx2c.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the models: inputs, numbers of parameters, search spaces."""
    import json

    from sweeps.cli.models import describe_models, print_model, print_models
    from sweeps.cli.pretrained import describe_pretrained, print_pretrained

    if pretrained:
        if name or dataset:
            raise UserError("--pretrained lists all fitted models; omit NAME and --dataset")
        fitted = describe_pretrained()
        print(json.dumps(fitted, indent=1)) if as_json else print_pretrained(fitted)
        return
    rows = describe_models(dataset, name=name)
    if as_json:
        print(json.dumps(rows, indent=1))
    elif name is None:
        print_models(rows)
    else:
        print_model(rows[0])


@cluster_app.callback()
def _cluster() -> None:
    """Keep `check` a command of its own while it is the only one."""


@cluster_app.command("check")
def cluster_check(
    file: Annotated[Path, typer.Argument(help="The YAML of `ray up`, or of a KubeRay RayJob.")],
    gpus_per_trial: Annotated[
        float,
        typer.Option(parser=read_gpu_share, help="Share of a GPU that the sweep gives a trial."),
    ] = 0.0,
    storage: Annotated[
        str, typer.Option(help="Storage of the sweep.", show_default="as named in the file")
    ] = "",
) -> None:
    """Check a cluster file offline and list every problem."""
    from cluster.check import cluster_problems

    try:
        ordinary(file)
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}; give a YAML file") from None
    OPTIONS["gpus_per_trial"].refuse_if_wrong(gpus_per_trial)
    # auto begins with a whole GPU
    if problems := cluster_problems(file, gpus_per_trial=abs(gpus_per_trial), storage=storage):
        raise DataError(str(file), problems)
    print(f"{shlex.quote(str(file))}: no problem found")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a user's mistake ends in one sentence and exit code 2."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        try:
            app(arguments, standalone_mode=True)
        finally:
            # what a full device does not take must not wait for Python's own end
            sys.stdout.flush()
    except UserError as error:
        _fail(str(error))
    except OSError as error:
        if error.errno in _NO_OUTPUT and not error.filename:
            # nothing more goes there
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            _fail(f"the output cannot be written ({error.strerror}); send it elsewhere")
        if error.errno not in _NO_PATH:
            raise
        _fail(f"{str(error.filename)[:80]!r}: {error.strerror}; give another path")


def _fail(sentence: str) -> NoReturn:
    from sweeps.cli.tables import print_error

    print_error(f"gx2c: {sentence}")
    sys.exit(EXIT_USER_ERROR)


if __name__ == "__main__":
    main()
