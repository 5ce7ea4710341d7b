"""The command `gx2c embed`: what a saved network makes of each region."""

from pathlib import Path
from shlex import quote
from typing import Annotated

import typer

from sweeps.cli.completion import complete_dataset, complete_run


def embed(
    model: Annotated[
        Path,
        typer.Argument(
            help="A run folder, or the folder of one saved model.", autocompletion=complete_run
        ),
    ],
    out: Annotated[Path, typer.Option(help="A new folder for tables and pictures.")],
    dataset: Annotated[
        str,
        typer.Option(
            help="Dataset whose regions are embedded.",
            show_default="that of training",
            autocompletion=complete_dataset,
        ),
    ] = "",
) -> None:
    """Write each region's embedding after the encoder of a network, with a picture."""
    import io

    import numpy as np

    from gx2c.data import load_dataset
    from gx2c.data.matrix import format_number, table_text
    from gx2c.saved.run import load_models
    from sweeps.folder.paths import check_new_folder
    from sweeps.folder.records import write_bytes
    from sweeps.report.embedding import embedding_figure

    check_new_folder(out, hint="give a folder that does not")
    models = load_models(model)
    brain = load_dataset(dataset or models[0].about.dataset.name)
    for one in models:
        fold = "all" if one.about.fold is None else f"fold_{one.about.fold:02d}"
        for member, embedding in enumerate(one.embed(brain)):
            stem, buffer = f"{one.name}_{fold}_member_{member:02d}", io.BytesIO()
            np.save(buffer, embedding)
            write_bytes(out / f"{stem}.npy", buffer.getvalue())
            rows = [["region", *(f"dim_{k}" for k in range(embedding.shape[1]))]]
            rows += [
                [label, *(format_number(value, 8) for value in values)]
                for label, values in zip(brain.labels, embedding.tolist(), strict=True)
            ]
            write_bytes(out / f"{stem}.tsv", table_text(rows).encode())
            title = f"{one.name}, {fold.replace('_0', ' ').replace('_', ' ')}, member {member}"
            picture = embedding_figure(title, embedding, brain)
            write_bytes(out / f"{stem}.svg", picture.svg(on_page=False).encode())
            n_dims = embedding.shape[1]
            print(f"wrote    {quote(str(out / stem))}.tsv, .npy and .svg: {n_dims} dimensions")
