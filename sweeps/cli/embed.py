"""The commands `gx2c embed` and `gx2c attention`: how a saved network sees regions."""

from typing import Annotated

import typer

from sweeps.cli.after import Dataset, Model, Out, Results, open_models, stem_of, title_of, wrote


def embed(
    model: Model,
    out: Out = None,
    dataset: Dataset = "",
    plane: Annotated[str, typer.Option(help="Plane of the picture: pca or tsne (t-SNE).")] = "pca",
) -> None:
    """Write each region's embedding after the encoder of a network, with a picture."""
    from gx2c.errors import require_choice
    from sweeps.folder.explained import write_embedding
    from sweeps.folder.regions import regions_of
    from sweeps.report.embedding import PLANES, embedding_figure

    require_choice("plane", plane, PLANES)
    results, titles = Results.open(model, dataset, out, "embedding"), {}
    models, brain = open_models(model, dataset)
    for one in models:
        for member, embedding in enumerate(one.embed(brain)):
            name = f"{stem_of(one, models)}_member_{member:02d}"
            titles[name] = title_of(one, models, member)
            write_embedding(results.folder / name, brain.labels, embedding)
            picture = embedding_figure(titles[name], embedding, regions_of(brain), plane=plane)
            picture.save(results.folder / f"{name}.svg")
            wrote(results.folder / name, f".tsv, .npy and .svg: {embedding.shape[1]} dimensions")
    results.close(plane=plane, titles=titles)


def attention(model: Model, out: Out = None, dataset: Dataset = "") -> None:
    """Write the attention maps of a transformer on held-out regions, with pictures."""
    from gx2c.explain import attention_maps
    from sweeps.folder.explained import write_attention
    from sweeps.report.attention import groups_figure, heads_figure

    results, titles = Results.open(model, dataset, out, "attention"), {}
    models, brain = open_models(model, dataset)
    for one in models:
        for member, found in enumerate(attention_maps(one, brain)):
            name = f"{stem_of(one, models)}_member_{member:02d}"
            titles[name] = title_of(one, models, member)
            write_attention(results.folder / name, found)
            heads_figure(titles[name], found).save(results.folder / f"{name}_heads.svg")
            groups_figure(titles[name], found).save(results.folder / f"{name}_groups.svg")
            wrote(results.folder / name, f".npy, tables and pictures: {found!r}")
    results.close(titles=titles)
