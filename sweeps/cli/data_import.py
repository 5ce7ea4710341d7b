"""The command `gx2c data import`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Trust = Annotated[
    bool, typer.Option("--trust-row-order", help="Accept rows that look shuffled as they are.")
]


def data_import(
    paths: Annotated[list[str], typer.Argument(help="Files and folders, or an import.yaml.")],
    out: Annotated[Path, typer.Option(help="Folder of the new dataset.")],
    connectome: Annotated[
        str, typer.Option(help="Matrix to predict.", show_default="from the files")
    ] = "",
    holdout: Annotated[
        str, typer.Option(help="The same of other people.", show_default="from the files")
    ] = "",
    structural: Annotated[
        str, typer.Option(help="Structural connectivity.", show_default="from the files")
    ] = "",
    expression: Annotated[
        str,
        typer.Option(
            help="Table of regions x genes, or the name of a dataset.",
            show_default="from the files",
        ),
    ] = "",
    regions: Annotated[
        str, typer.Option(help="Table of labels and coordinates.", show_default="from the files")
    ] = "",
    labels: Annotated[
        str,
        typer.Option(
            help="List of labels in the order of the matrix.", show_default="from the files"
        ),
    ] = "",
    atlas: Annotated[
        str,
        typer.Option(
            help="Image, labels of vertices, or a name: schaefer100 to 1000, aal.",
            show_default="from the files",
        ),
    ] = "",
    distances: Annotated[
        str,
        typer.Option(
            help="Matrix of distances in mm, in place of coordinates.",
            show_default="from the files",
        ),
    ] = "",
    surfaces: Annotated[
        tuple[str, str],
        typer.Option(
            help="Left and right surface of the atlas's mesh.", show_default="from the files"
        ),
    ] = ("", ""),
    sphere: Annotated[
        tuple[str, str], typer.Option(help="Left and right sphere.", show_default="from the files")
    ] = ("", ""),
    individuals: Annotated[
        str, typer.Option(help="Connectomes of single people.", show_default="from the files")
    ] = "",
    measure: Annotated[
        list[str] | None,
        typer.Option(help="More matrices to predict, NAME=FILE each.", show_default="none"),
    ] = None,
    scale: Annotated[
        str,
        typer.Option(
            help="Scale: r, z or percent of the connectome; counts or log of the structural one.",
            show_default="from the files",
        ),
    ] = "",
    kind: Annotated[
        str,
        typer.Option(
            help="Layout: auto, csv, bids, xcp_d, enigma, abagen, 4s, geneex2conn, ipa or dsi; "
            "only its files take the roles it has; 4s, ipa and geneex2conn let unlabelled rows be "
            "in the table's order."
        ),
    ] = "auto",
    by_position: Annotated[
        bool, typer.Option("--by-position", help="Unlabelled rows are in the table's order.")
    ] = False,
    project_spheres: Annotated[
        bool, typer.Option("--project-spheres", help="Project centroids if there is no sphere.")
    ] = False,
    repair_genes: Annotated[
        bool, typer.Option("--repair-genes", help="Give genes their approved symbols.")
    ] = False,
    trust_row_order: Trust = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Write nothing.")] = False,
) -> None:
    """Make a dataset of your files; docs/data.md lists the formats."""
    from gx2c.importing.command import import_dataset
    from gx2c.importing.options import ImportOptions

    options = ImportOptions(
        paths=tuple(paths),
        connectome=connectome,
        holdout=holdout,
        structural=structural,
        expression=expression,
        regions=regions,
        labels=labels,
        atlas=atlas,
        distances=distances,
        individuals=individuals,
        surfaces=tuple(filter(None, surfaces)),
        sphere=tuple(filter(None, sphere)),
        measures=tuple(measure or ()),
        scale=scale,
        kind=kind,
        by_position=by_position,
        project_spheres=project_spheres,
        repair_genes=repair_genes,
        trust_row_order=trust_row_order,
    )
    made = import_dataset(options, out, dry_run=dry_run)
    for line in made.lines():
        print(line)
