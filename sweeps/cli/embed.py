"""The commands `gx2c embed` and `gx2c attention`: how a saved network sees regions."""

from typing import Annotated

import typer

from sweeps.cli.after import (
    Dataset,
    Model,
    Out,
    open_models,
    stem_of,
    title_of,
    write_array,
    write_rows,
    wrote,
)


def embed(
    model: Model,
    out: Out,
    dataset: Dataset = "",
    plane: Annotated[str, typer.Option(help="Plane of the picture: pca or tsne (t-SNE).")] = "pca",
) -> None:
    """Write each region's embedding after the encoder of a network, with a picture."""
    from gx2c.errors import require_choice
    from sweeps.report.embedding import PLANES, embedding_figure

    require_choice("plane", plane, PLANES)
    models, brain = open_models(model, dataset, out)
    for one in models:
        for member, embedding in enumerate(one.embed(brain)):
            stem = out / f"{stem_of(one, models)}_member_{member:02d}"
            n_dims = embedding.shape[1]
            write_array(stem.with_suffix(".npy"), embedding)
            rows = zip(brain.labels, embedding.tolist(), strict=True)
            header = ["region", *(f"dim_{k}" for k in range(n_dims))]
            write_rows(stem.with_suffix(".tsv"), header, ([label, *v] for label, v in rows))
            title = title_of(one, models, member)
            picture = embedding_figure(title, embedding, brain, plane=plane)
            picture.save(stem.with_suffix(".svg"))
            wrote(stem, f".tsv, .npy and .svg: {n_dims} dimensions")


def attention(model: Model, out: Out, dataset: Dataset = "") -> None:
    """Write the attention maps of a transformer on held-out regions, with pictures."""
    from gx2c.explain import attention_maps
    from sweeps.report.attention import groups_figure, heads_figure

    models, brain = open_models(model, dataset, out)
    for one in models:
        for member, found in enumerate(attention_maps(one, brain)):
            stem = f"{stem_of(one, models)}_member_{member:02d}"
            write_array(out / f"{stem}.npy", found.maps)
            columns = {
                f"received_{g}": v for g, v in zip(found.groups, found.received, strict=True)
            }
            if not found.tokens[0].columns:
                of_cls = found.maps[:, :, :, 0].mean(axis=(1, 2))
                columns |= {f"cls_{g}": v for g, v in zip(found.groups, of_cls, strict=True)}
            write_rows(
                out / f"{stem}_tokens.tsv",
                ["token", "chromosome", "columns", *columns],
                (
                    [token.name, token.chromosome, " ".join(token.columns), *values]
                    for token, *values in zip(
                        found.tokens, *(v.tolist() for v in columns.values()), strict=True
                    )
                ),
            )
            counts = zip(found.groups, found.counts.tolist(), strict=True)
            write_rows(out / f"{stem}_groups.tsv", ["group", "count"], counts)
            title = title_of(one, models, member)
            heads_figure(title, found).save(out / f"{stem}_heads.svg")
            groups_figure(title, found).save(out / f"{stem}_groups.svg")
            wrote(out / stem, f".npy, tables and pictures: {found!r}")
