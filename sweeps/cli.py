"""The command `gx2c`; everything heavy is imported only by the command that needs it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from gx2c.errors import UserError
from sweeps.cluster_cli import cluster_app
from sweeps.data_cli import data_app
from sweeps.nulls_cli import nulls_app
from sweeps.runs_cli import compare, dashboard, fetch, leaderboard, report, rerun, status, study
from sweeps.sweep_cli import sweep

app = typer.Typer(
    help="How well does regional gene expression predict the connectome, beyond geography?",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for command in (sweep, rerun, report, compare, fetch, leaderboard, study, status, dashboard):
    app.command()(command)
app.add_typer(data_app, name="data")
app.add_typer(nulls_app, name="nulls")
app.add_typer(cluster_app, name="cluster")

EXIT_USER_ERROR = 2


@app.command()
def bench(
    name: Annotated[
        str,
        typer.Argument(
            help="step, compiled, kernels, time-to-score, gradient-noise, schedulers, overhead, "
            "driver-memory, start, load, spins, kernel-nulls or full-grid."
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone.")] = False,
) -> None:
    """Measure something on this machine; see docs/performance.md."""
    import json

    import yaml

    try:
        from benchmarks import run_benchmark
    except ModuleNotFoundError:
        raise UserError(
            "benchmarks are part of the source tree; run this from a clone of the repository"
        ) from None
    result = run_benchmark(name)
    print(json.dumps(result, indent=1) if as_json else yaml.safe_dump(result, sort_keys=False))


@app.command()
def models(
    dataset: Annotated[
        str | None, typer.Option(help="Count parameters and ranges for this dataset.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON alone.")] = False,
) -> None:
    """List the models: what they use, their parameters, their search space."""
    import json

    from sweeps.models_table import describe_models, print_models

    rows = describe_models(dataset)
    print(json.dumps(rows, indent=1)) if as_json else print_models(rows)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a user's mistake ends in one sentence and exit code 2."""
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    try:
        app(arguments, standalone_mode=True)
    except UserError as error:
        print(f"gx2c: {error}", file=sys.stderr)
        sys.exit(EXIT_USER_ERROR)


def sweep_script(model: str) -> None:
    """Run `gx2c sweep MODEL` with this script's arguments; what sweeps/<model>.py calls."""
    main(["sweep", model, *sys.argv[1:]])


if __name__ == "__main__":
    main()
