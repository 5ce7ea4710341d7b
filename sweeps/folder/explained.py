"""Tables of importance, attention, embeddings and knock-outs in a run, written and read.

`gx2c explain`, `attention` and `embed` fill a folder each. Its record, written last, names the
models that were explained.
"""

import hashlib
import io
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from gx2c.data.brain import FloatArray
from gx2c.data.matrix import format_number, table_text
from gx2c.errors import UserError
from gx2c.explain.attention import AttentionMaps
from gx2c.explain.tokens import Token
from gx2c.files import file_digest
from gx2c.saved import INDEX_FILE, MODEL_FILE
from gx2c.saved.run import load_run
from gx2c.sealed import DamagedError
from sweeps.folder.records import read_as, write_bytes, write_json
from sweeps.folder.summary_parts import Part

RECORD = "about.json"
DIGITS = 8
AGAIN = "delete the folder, then run the command again"


class About(Part):
    """The record of a folder: a digest of the models, what was asked, and checksums of tables."""

    models: str
    facts: dict[str, Any]
    files: dict[str, str] = Field(default_factory=dict)


def digest_of(folder: Path) -> str:
    """Return a digest of the saved models of a run, or of the one saved model of a folder.

    Raises
    ------
    UserError
        If a file of a model is missing, or the list of models is damaged.
    """
    files = [folder / MODEL_FILE]
    if (folder / INDEX_FILE).exists():
        index = load_run(folder).index
        own = [entry for entry in index.models if entry.model == index.model]
        files = [folder / entry.folder / MODEL_FILE for entry in own]
    try:
        digests = "".join(map(file_digest, files))
    except OSError as error:
        raise UserError(
            f"{folder} has not all of its models ({error.filename}: {error.strerror}), so results "
            "cannot be matched with them"
        ) from None
    return hashlib.sha256(digests.encode()).hexdigest()


def seal_results(folder: Path, models: str, **facts: Any) -> None:
    """Write the record of a folder whose tables are complete; `models` is from `digest_of`."""
    tables = [path for path in sorted(folder.iterdir()) if path.suffix in (".tsv", ".npy")]
    files = {path.name: file_digest(path) for path in tables}
    write_json(folder / RECORD, About(models=models, facts=facts, files=files).model_dump())


def read_facts(folder: Path, models: str) -> dict[str, Any]:
    """Check a folder of results against its record, and return what was asked, and its "tables".

    Raises
    ------
    UserError
        If it is unfinished, or of other models.
    DamagedError
        If a table is not the one that was written.
    """
    if not (folder / RECORD).exists():
        raise UserError(f"{folder.name} was not finished; {AGAIN}")
    about = read_as(About, folder / RECORD, hint=AGAIN)
    if about.models != models:
        raise UserError(f"{folder.name} is of other models than those of this run; {AGAIN}")
    for name, wanted in about.files.items():
        path = folder / Path(name).name
        if not path.is_file() or file_digest(path) != wanted:
            raise DamagedError(f"{path} is missing or damaged; {AGAIN}")
    return about.facts | {"tables": list(about.files)}


def write_embedding(stem: Path, labels: Sequence[str], embedding: FloatArray) -> None:
    """Write the embeddings of regions, (n_regions, n_dims), as npy and TSV."""
    _write_array(stem, embedding)
    header = ["region", *(f"dim_{k}" for k in range(embedding.shape[1]))]
    rows = zip(labels, embedding.tolist(), strict=True)
    write_rows(stem.with_name(f"{stem.name}.tsv"), header, ([label, *v] for label, v in rows))


def read_embedding(stem: Path) -> tuple[tuple[str, ...], FloatArray]:
    """Read the labels and embeddings of `write_embedding`."""
    table = _read_table(stem.with_name(f"{stem.name}.tsv"), text=("region",))
    return tuple(table["region"]), np.load(stem.with_name(f"{stem.name}.npy"))


def write_attention(stem: Path, found: AttentionMaps) -> None:
    """Write the maps of one member as npy, and its tokens and groups as TSV."""
    _write_array(stem, found.maps)
    columns = {f"received_{g}": v for g, v in zip(found.groups, found.received, strict=True)}
    if not found.tokens[0].columns:
        of_cls = found.maps[:, :, :, 0].mean(axis=(1, 2))
        columns |= {f"cls_{g}": v for g, v in zip(found.groups, of_cls, strict=True)}
    values = zip(*(v.tolist() for v in columns.values()), strict=True)
    write_rows(
        stem.with_name(f"{stem.name}_tokens.tsv"),
        ["token", "chromosome", "columns", *columns],
        (
            [token.name, token.chromosome, " ".join(token.columns), *of_token]
            for token, of_token in zip(found.tokens, values, strict=True)
        ),
    )
    counts = zip(found.groups, found.counts.tolist(), strict=True)
    write_rows(stem.with_name(f"{stem.name}_groups.tsv"), ["group", "count"], counts)


def read_attention(stem: Path) -> AttentionMaps:
    """Read the maps of `write_attention`."""
    text = ("token", "chromosome", "columns")
    tokens = _read_table(stem.with_name(f"{stem.name}_tokens.tsv"), text=text)
    groups = _read_table(stem.with_name(f"{stem.name}_groups.tsv"), text=("group",))
    return AttentionMaps(
        tuple(Token(n, c, tuple(g.split())) for n, c, g in tokens[[*text]].to_numpy().tolist()),
        tuple(groups["group"]),
        groups["count"].to_numpy(),
        np.load(stem.with_name(f"{stem.name}.npy")),
    )


def write_ranking(folder: Path, kind: str, table: pd.DataFrame) -> None:
    """Write one of `Importance.tables`."""
    write_rows(folder / f"{kind}.tsv", list(table.columns), table.itertuples(index=False))


def read_ranking(folder: Path, kind: str) -> pd.DataFrame:
    """Read the table of `write_ranking`."""
    return _read_table(folder / f"{kind}.tsv", text=("group", "unit"))


def write_rows(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a table as tab-separated text; numbers with 8 digits."""
    cells = [
        [format_number(c, DIGITS) if isinstance(c, float) else str(c) for c in row] for row in rows
    ]
    write_bytes(path, table_text([list(header), *cells]).encode())


def _write_array(stem: Path, array: FloatArray) -> None:
    buffer = io.BytesIO()
    np.save(buffer, array)
    write_bytes(stem.with_name(f"{stem.name}.npy"), buffer.getvalue())


def _read_table(path: Path, text: Sequence[str]) -> pd.DataFrame:
    # a region, a gene or a network may be called NA
    types: Mapping[Any, Any] = dict.fromkeys(text, str)
    table = pd.read_csv(path, sep="\t", dtype=types, keep_default_na=False)
    numbers = [name for name in table.columns if name not in text]
    return table.assign(**{name: _numbers(table[name]) for name in numbers})


def _numbers(column: pd.Series) -> pd.Series:
    """Return a column as numbers, n/a as NaN; one of words stays as it is."""
    known = column.replace("n/a", np.nan)
    found = pd.to_numeric(known, errors="coerce")
    return found if found.isna().equals(known.isna()) else column
