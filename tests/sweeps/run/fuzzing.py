"""Malformed inputs from a seeded generator: files that are cut, garbled or edited, bad options."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

JUNK = ["", "nan", "-inf", "1e400", "abc", "ÿ", "0", "-1", "1.5", "[]", "{", "9" * 30, " ", "None"]
PLAIN_JUNK: list[Any] = [
    None, True, -1, 0, 2.5, float("nan"), 10**30, "", "abc", [], [[]], {}, {"a": 1}, "../..",
    [None], "!!python/object:os.system", "1e3",
]  # fmt: skip


def garble_bytes(content: bytes, rng: random.Random) -> bytes:
    """Cut, overwrite, repeat or replace some of a file."""
    at = rng.randrange(max(1, len(content)))
    noise = rng.randbytes(rng.randint(1, 40))
    return rng.choice(
        [
            content[:at],
            content[:at] + noise + content[at + len(noise) :],
            content[at:],
            noise,
            b"",
            b"\xff\xfe" + content,
        ]
    )


def edit_table(content: bytes, rng: random.Random) -> bytes:
    """Change cells, rows or columns of a tab-separated file."""
    rows = [line.split("\t") for line in content.decode().splitlines()]
    for _ in range(rng.randint(1, 3)):
        row = rng.randrange(len(rows))
        column = rng.randrange(max(1, len(rows[row])))
        edits: list[Callable[[], Any]] = [
            lambda r=row, c=column: rows[r].__setitem__(c, rng.choice(JUNK)),
            lambda r=row: rows.append(list(rows[r])),
            lambda r=row: rows[r].append("x"),
            lambda r=row, c=column: rows[r].pop(c) if len(rows[r]) > 1 else None,
            lambda c=column: [one.pop(c) for one in rows if len(one) > c + 1],
            lambda r=row: rows.pop(r) if len(rows) > 1 else None,
        ]
        rng.choice(edits)()
    return "".join("\t".join(row) + "\n" for row in rows).encode()


def edit_plain(value: Any, rng: random.Random) -> Any:
    """Replace, drop or add something somewhere inside plain values."""
    if isinstance(value, dict) and value and rng.random() < 0.85:
        name = rng.choice(sorted(value, key=str))
        changed = dict(value)
        if rng.random() < 0.15:
            del changed[name]
        elif rng.random() < 0.1:
            changed[f"{name}_"] = rng.choice(PLAIN_JUNK)
        else:
            changed[name] = edit_plain(value[name], rng)
        return changed
    if isinstance(value, list) and value and rng.random() < 0.8:
        at = rng.randrange(len(value))
        return [*value[:at], edit_plain(value[at], rng), *value[at + 1 :]]
    return rng.choice(PLAIN_JUNK)


def unsealed(content: Any) -> Any:
    """Take the checksum off, which would answer for all that is read after it."""
    return (
        {k: v for k, v in content.items() if k != "sha256"}
        if isinstance(content, dict)
        else content
    )


def malform(path: Path, rng: random.Random) -> None:
    """Malform one file, in the manner of its kind or of any."""
    content = path.read_bytes()
    kinds: list[Callable[[bytes, random.Random], bytes]] = [garble_bytes]
    if path.suffix == ".tsv":
        kinds += [edit_table] * 3
    if path.suffix == ".json":
        kinds += [lambda c, r: json.dumps(edit_plain(unsealed(json.loads(c)), r)).encode()] * 2
    if path.suffix == ".yaml":
        kinds += [
            lambda c, r: yaml.safe_dump(edit_plain(unsealed(yaml.safe_load(c)), r)).encode()
        ] * 4
    if rng.random() < 0.05:
        path.unlink()
    else:
        path.write_bytes(rng.choice(kinds)(content, rng))


def write_bad_spins(path: Path, n_regions: int, rng: random.Random) -> None:
    """Write what are no spins of a dataset."""
    good = np.stack([np.random.default_rng(k).permutation(n_regions) for k in range(3)], axis=1)
    np.save(path, good)
    arrays: list[Any] = [
        good[:-1], good.T, good + 1, -good, good * 0.5, good.astype("f4"), good[:, :0], good[0],
        np.array("x"), np.array([{"a": 1}], dtype=object), np.full((n_regions, 2), np.nan),
        np.array(["a"] * n_regions)[:, None], good[None], good.astype(bool), good * 1j,
    ]  # fmt: skip
    if rng.random() < 0.5:
        np.save(path, rng.choice(arrays), allow_pickle=True)
    else:
        content = path.read_bytes()
        # a changed index may still be one: the header says what a file is
        path.write_bytes(rng.choice([content[:100], content[: rng.randrange(120)], b"", b"PK\3\4"]))


OPTION_VALUES = {
    "--preset": ["quick", "fast", ""],
    "--dataset": ["DATASET", "nowhere", "/etc/passwd", "", "schaefer9000", "."],
    "--split": ["random", "spatial", "by-hand", "network", "lobe", "community", ""],
    "--folds": ["2", "1", "0", "-3", "1000", "two", "1e3"],
    "--inner-folds": ["2", "1", "0", "999", "x"],
    "--samples": ["1", "0", "-1", "many"],
    "--max-epochs": ["5", "0", "-1", "1.5"],
    "--metric": ["val_mse", "accuracy", ""],
    "--genes": ["10_var", "0_var", "-5_var", "999999_var", "nothing.txt", "_var", "", "/"],
    "--gene-order": ["tss", "random", "cluster_0", "cluster_x", "alphabet"],
    "--nulls": ["0", "-1", "x", "2"],
    "--null-search": ["none", "full", "half"],
    "--seed": ["1", "-1", "99999999999999999999", "pi"],
    "--scheduler": ["asha", "hyperband", ""],
    "--cpus-per-trial": ["1", "0", "-1", "all"],
    "--gpus-per-trial": ["0", "-1", "2", "nan", "1e-9"],
    "--max-concurrent": ["0", "-2", "x"],
    "--hemisphere": ["both", "left", "top"],
    "--buffer": ["0", "-1", "nan", "1e9", "inf"],
    "--resolution": ["1", "0", "-1", "nan"],
    "--score": ["folds", "block-pairs", "all"],
    "--time-budget": ["1", "-1", "nan", "inf", "soon"],
    "--trial-timeout": ["1", "-1", "nan", "inf"],
    "--max-disk": ["1", "-1", "nan", "x"],
    "--warm-start": ["nowhere", "/etc", "DATASET"],
    "--unknown": ["1"],
}


def bad_options(dataset: Path, rng: random.Random) -> list[str]:
    """Return some options, most of them with values that cannot be."""
    given = {"--dataset": "DATASET", "--folds": "2", "--inner-folds": "2", "--genes": "10_var"}
    for name in rng.sample(sorted(OPTION_VALUES), rng.randint(1, 4)):
        given[name] = rng.choice(OPTION_VALUES[name])
    pairs = [word for pair in given.items() for word in pair]
    model = rng.choice(["mlp", "geography", "kernel-ridge", "smt", "nobody", ""])
    return [model, *(str(dataset) if word == "DATASET" else word for word in pairs)]
