"""Match the rows of an expression table, or of a dataset, to the regions of a connectome."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gx2c.data.brain import Brain, FloatArray
from gx2c.data.checks import FILLED, MIRRORED, PARTLY_FILLED, UNSAMPLED, duplicates, shown
from gx2c.errors import UserError
from gx2c.importing.ahba.files import Sampling, read_sampling, sampling_of
from gx2c.importing.draft import Draft
from gx2c.importing.gather import Found, gather, is_gene
from gx2c.importing.genes import clean_genes
from gx2c.importing.labels import Match, Names, make_names, match_names
from gx2c.importing.naming import Namer
from gx2c.importing.options import ImportOptions
from gx2c.importing.sheets import Sheet, is_counting, stability_columns, to_numbers


@dataclass(frozen=True)
class _Rows:
    name: str
    genes: tuple[str, ...]
    values: FloatArray
    match: Match
    names: Names  # Of the rows
    sampling: Sampling | None


def add_expression(
    draft: Draft,
    wanted: Names,
    found: Found,
    namer: Namer,
    options: ImportOptions,
    dataset: Brain | None,
) -> None:
    """Add genes and expression to the parts of a dataset; none if no file holds any.

    Raises
    ------
    UserError
        If the file that was given has no row for any region, or several tables are equally good.
    """
    rows = _rows_of(wanted, found, namer, options, dataset)
    n = len(wanted)
    if rows is None:
        draft.parts |= {"genes": (), "expression": np.empty((n, 0))}
        draft.notes.append(
            "there is no gene expression: models that read genes refuse this dataset"
        )
        return
    expression = np.full((n, len(rows.genes)), np.nan)
    for row, place in enumerate(rows.match.places):
        if place is not None:
            expression[row] = rows.values[place]
    draft.name_regions(rows.name, rows.names.shown, rows.match.places)
    columns = clean_genes(rows.genes, expression, rows.name, repair=options.repair_genes)
    draft.parts |= {"genes": columns.genes, "expression": columns.values}
    draft.notes += columns.notes
    draft.repaired |= columns.repaired
    if rows.sampling is not None:
        _add_sampling(draft, rows, rows.sampling)
    if found.stability:
        _add_stability(draft, found.stability)
    sampled = ~np.isnan(columns.values).all(axis=1)
    draft.notes.append(
        f"{rows.name}: {len(columns.genes)} genes, {int(sampled.sum())} of {n} regions"
    )
    if rows.match.left_out:
        said = f"{rows.name}: {len(rows.match.left_out)} rows of no region are left out"
        draft.leave_out(said, rows.match.left_out)
    if not sampled.all():
        names = [wanted.shown[i] for i in np.flatnonzero(~sampled).tolist()]
        said = f"{len(names)} regions have no expression and are left out wherever it is read"
        draft.leave_out(said, names)


def _rows_of(
    wanted: Names, found: Found, namer: Namer, options: ImportOptions, dataset: Brain | None
) -> _Rows | None:
    if dataset is not None:
        names = make_names(dataset.name, [dataset.labels])
        match = match_names(wanted, names)
        if not match.n_found:
            raise UserError(
                f"{dataset.name} and the connectome have no region of one name: "
                f"{shown(dataset.labels[:2])} against {shown(wanted.shown[:2])}"
            )
        return _Rows(
            dataset.name, dataset.genes, dataset.expression, match, names, sampling_of(dataset)
        )
    sheets = found.expressions
    if options.expression:
        inside = gather([Path(options.expression)])
        sheets = inside.expressions or inside.matrices
        found.stability = inside.stability or found.stability
        if not sheets:
            raise UserError(
                f"{options.expression} has no column per gene with numbers below it"
                f"{''.join(f': {why}' for why in list(inside.unused.values())[:1])}; give a table "
                "of regions x genes"
            )
    candidates = [rows for sheet in sheets if (rows := _rows_of_sheet(wanted, sheet, namer))]
    best = [
        rows
        for rows in candidates
        if rows.match.n_found == max(c.match.n_found for c in candidates)
    ]
    if len(best) > 1:
        raise UserError(
            f"{shown([f'{rows.name} ({len(rows.genes)} genes)' for rows in best])} could each be "
            "the expression; choose one with --expression FILE"
        )
    if not best and options.expression:
        raise UserError(
            f"{options.expression} names no region of the connectome, such as "
            f"{shown(wanted.shown[:2])}; name its rows alike, or give --by-position if they are in "
            "the order of the table of regions"
        )
    return best[0] if best else None


def _rows_of_sheet(wanted: Names, sheet: Sheet, namer: Namer) -> _Rows | None:
    genes = sheet.rows
    sheet, was = upright(sheet), sheet
    values, rows = sheet.values, sheet.rows
    columns = was.columns if sheet is was else genes
    if values is None:
        return None
    if columns is None:
        namer.notes.append(f"{sheet.name}: its columns have no names; not used as expression")
        return None
    names = make_names(sheet.name, [rows]) if rows and not is_counting(rows) else None
    try:
        if names is None or not match_names(wanted, names).n_found:
            names = namer.of_sheet(sheet)
        if names is None and len(wanted) == len(values) and namer.by_position:
            names = wanted
        match = None if names is None else match_names(wanted, names)
    except UserError as error:
        namer.notes.append(f"{sheet.name} is not used: {error}")
        return None
    if match is None or not match.n_found:
        namer.notes.append(f"{sheet.name}: its rows name no region of the connectome; not used")
        return None
    assert names is not None
    return _Rows(sheet.name, tuple(columns), values, match, names, read_sampling(sheet.path.parent))


def _add_sampling(draft: Draft, rows: _Rows, sampling: Sampling) -> None:
    """Add where the expression of each region comes from, and the stability of each gene."""
    labels = ["" if place is None else rows.names.shown[place] for place in rows.match.places]
    sources = tuple(sampling.sources.get(label, UNSAMPLED) for label in labels)
    draft.made_of_ahba = True
    draft.parts["expression_from"] = sources
    draft.parts["shared_samples"] = np.array(
        [[(one, other) in sampling.shared for other in labels] for one in labels], dtype=np.uint8
    )
    draft.parts["stability"] = np.array(
        [sampling.stability.get(gene, np.nan) for gene in draft.parts["genes"]]
    )
    for source in (MIRRORED, PARTLY_FILLED, FILLED):
        if source in sources:
            names = [label for label, one in zip(labels, sources, strict=True) if one == source]
            draft.notes.append(
                f"{rows.name}: expression of {len(names)} regions is {source}: {shown(names)}; "
                "regions that share tissue samples are never on both sides of a fold"
            )


def _add_stability(draft: Draft, sheets: Sequence[Sheet]) -> None:
    """Add a table's differential stability of each gene, also under the name that came."""
    source = sheets[0].name
    if len(sheets) > 1:
        raise UserError(
            f"{shown([sheet.name for sheet in sheets])} each have the stability of genes; keep one"
        )
    titles, columns = stability_columns(sheets[0]), sheets[0].texts()
    assert titles is not None, "tables of stability are recognised by their titles"
    names = [draft.repaired.get(cell.strip(), cell.strip()) for cell in columns[titles[0]]]
    values = to_numbers([[cell] for cell in columns[titles[1]]])
    if values is None or (repeated := duplicates(names)):
        wrong = "has cells that are no numbers" if values is None else f"repeats {shown(repeated)}"
        raise UserError(f"{source}, {titles[1]}, {wrong}; give each gene one number")
    by_gene = dict(zip(names, values[:, 0].tolist(), strict=True))
    genes = draft.parts["genes"]
    found = np.array([by_gene.get(gene, np.nan) for gene in genes])
    known = int(np.isfinite(found).sum())
    unused = "" if known else "; not used"
    draft.notes.append(
        f"{source}: differential stability of {known:,} of {len(genes):,} genes{unused}"
    )
    if known:
        draft.parts["stability"] = found


def upright(sheet: Sheet) -> Sheet:
    """Return a table of expression with a row for each region; its columns lose their names."""
    values, columns, rows = sheet.values, sheet.columns, sheet.rows
    if values is None or rows is None:
        return sheet
    if not sheet.has_gene_rows and (not _are_genes(rows) or _are_genes(columns)):
        return sheet
    # genes down and regions across
    return Sheet(sheet.path, part=sheet.part, array=values.T, row_names=columns)


def _are_genes(names: tuple[str, ...] | None) -> bool:
    if names is None or not all(is_gene(name) for name in names[:50]):
        return False
    sided = [label for labels in make_names("", [names]).labels for label in labels if label.side]
    return len(sided) < len(names) / 2
