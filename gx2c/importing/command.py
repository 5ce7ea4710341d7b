"""Import a dataset: read, check, write, and report what was understood."""

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gx2c.data.brain import Brain, take_rows
from gx2c.data.dataset import load_dataset
from gx2c.data.gene_starts import known_starts
from gx2c.data.layout import DESCRIPTION, README, dataset_folders
from gx2c.data.row_order import RowOrder, row_order
from gx2c.data.writing import write_tables
from gx2c.errors import DataError, UserError
from gx2c.importing.ahba.files import REFERENCES
from gx2c.importing.assemble import assemble
from gx2c.importing.draft import Draft, make_readme
from gx2c.importing.options import RECIPE, ImportOptions, read_recipe
from gx2c.importing.picture import PICTURE, brain_picture


@dataclass(frozen=True)
class Imported:
    """The result of an import."""

    brain: Brain  # The dataset as it will be loaded
    draft: Draft  # Its parts, and what was understood and changed
    order: RowOrder  # The statistics of the order of rows
    folder: Path | None  # Where it was written; None for a dry run

    def lines(self) -> Iterator[str]:
        """Yield the lines to print, the last with the command to run next."""
        for title, sentences in (
            ("understood", self.draft.notes),
            ("labels, by region in README.md", list(self.draft.matched())),
            ("changed or left out", self.draft.changed),
            ("order of rows", list(self.order.lines())),
        ):
            if sentences:
                yield f"{title}:"
                yield from (f"  {' '.join(sentence.split())}" for sentence in sentences)
        brain = self.brain
        yield f"{brain.n_regions} usable regions, {brain.n_genes:,} genes"
        if self.folder is None:
            yield "nothing was written (--dry-run)"
        else:
            model = "kernel_ridge" if brain.n_genes else "geography"
            yield f"wrote {self.folder}; {PICTURE} shows the regions"
            yield f"next: gx2c sweep {model} --dataset {shlex.quote(str(self.folder))}"


def import_dataset(
    options: ImportOptions,
    out: str | Path,
    *,
    dry_run: bool = False,
    description: Mapping[str, Any] | None = None,
) -> Imported:
    """Make a dataset folder from files of any common layout.

    Parameters
    ----------
    options
        The files to read, and their roles.
    out
        The folder to write.
    dry_run
        Whether nothing is written.
    description
        Keys of dataset_description.json, in place of the defaults.

    Raises
    ------
    UserError
        If the files do not make a dataset, or rows are in different orders; the sentence names the
        remedy.
    DataError
        If the parts make no brain; every problem is listed.
    """
    name = options.name or Path(out).resolve().name
    if len(options.paths) == 1 and Path(options.paths[0]).name == RECIPE:
        options = read_recipe(Path(options.paths[0]))
    draft = assemble(options, _dataset_of(options.expression))
    brain = _brain_of(draft, name)
    order = row_order(brain)
    if (problems := list(order.problems())) and not options.trust_row_order:
        raise DataError(name, problems)
    draft.parts["trust_row_order"] = bool(problems)
    draft.notes += [*problems, *order.warnings()]
    if dry_run:
        return Imported(brain, draft, order, None)
    rows = known_starts(brain.genes)
    texts = {
        README: make_readme(name, brain, draft, order, options),
        PICTURE: brain_picture(brain),
        RECIPE: _recipe(replace(options, atlas_sha256=draft.atlas_sha256)),
    }
    folder = write_tables(
        out,
        draft.parts,
        {**_description(name, brain, options, draft), **(description or {})},
        gene_rows=rows,
        texts=texts,
    )
    return Imported(brain, draft, order, folder)


def _dataset_of(expression: str) -> Brain | None:
    if not expression:
        return None
    path = Path(expression)
    is_dataset = expression in dataset_folders() or (path / DESCRIPTION).is_file()
    return load_dataset(expression) if is_dataset else None


def _brain_of(draft: Draft, name: str) -> Brain:
    # the order of rows is checked next, with a remedy for the import
    parts = draft.parts | {"trust_row_order": True}
    if not parts["genes"]:
        return Brain(name=name, **parts)
    sampled = ~np.isnan(parts["expression"]).all(axis=1)
    if not sampled.any():
        raise UserError("no region has both connectivity and expression; check the labels")
    excluded = tuple(parts["labels"][i] for i in np.flatnonzero(~sampled).tolist())
    return Brain(name=name, excluded=excluded, **take_rows(parts, np.flatnonzero(sampled)))


def _recipe(options: ImportOptions) -> str:
    import yaml

    head = "# gx2c data import THIS-FILE --out FOLDER repeats this import\n"
    return head + yaml.safe_dump(options.to_plain(), sort_keys=False, allow_unicode=True)


def _description(
    name: str, brain: Brain, options: ImportOptions, draft: Draft
) -> Mapping[str, Any]:
    genes = f"{brain.n_genes:,} genes" if brain.n_genes else "no genes"
    return {
        "Name": name,
        "Summary": f"{brain.n_regions} regions, {genes}; imported",
        "License": "That of the files it was made of; see README.md.",
        "GeneratedBy": [{"Name": "gx2c", "Description": "gx2c data import"}],
        "SourceDatasets": [{"URL": path} for path in options.to_plain()["paths"]],
    } | ({"ReferencesAndLinks": list(REFERENCES)} if draft.made_of_ahba else {})
