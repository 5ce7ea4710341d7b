"""Run abagen in a process of its own: `python -m gx2c.importing.ahba.process REQUEST.json`.

While abagen works, what it does to each tissue sample is recorded: it returns regions only, but
which regions share samples decides which regions a split may part.
"""

import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gx2c.data.checks import FILLED, MIRRORED, PARTLY_FILLED, SAMPLED
from gx2c.importing.ahba.compatibility import import_abagen
from gx2c.importing.ahba.files import (
    DONOR_EXPRESSION,
    DONORS,
    EXPRESSION,
    METHODS,
    PROGRESS,
    SAMPLES,
    STABILITY,
    STABILITY_COLUMNS,
)


@dataclass
class Recorder:
    """Watches abagen from inside; dictionaries are by donor, rows are samples in abagen's order."""

    # (n_samples, n_genes), before normalisation, and the well, hence the tissue, of each row
    raw: dict[str, Any] = field(default_factory=dict)
    wells: dict[str, Any] = field(default_factory=dict)
    mirrored: dict[str, Any] = field(default_factory=dict)  # Whether a row is a mirror image
    regions: dict[str, Any] = field(default_factory=dict)  # The region of each row, 0 for none
    expression: dict[str, Any] = field(default_factory=dict)  # (n_regions, n_genes)
    # Samples that regions without any were filled from: (donor, region, well)
    fills: list[tuple[str, int, int]] = field(default_factory=list)
    right: dict[int, bool] = field(default_factory=dict)  # Well -> whether it lies on the right

    def watch(self, abagen: Any) -> None:
        """Put recording functions around abagen's own, whose results stay as they are."""
        allen, io = abagen.allen, abagen.io
        for owner, name, around in (
            (io, "read_microarray", self._read),
            (io, "read_pacall", self._read),
            (allen.samples_, "mirror_samples", self._mirror),
            (allen.probes_, "collapse_probes", self._collapse),
            (abagen.AtlasTree, "label_samples", self._label),
            (allen, "_match_centroids", self._match),
            (allen, "_interpolate_missing", self._interpolate),
            (allen.samples_, "aggregate_samples", self._aggregate),
        ):
            setattr(owner, name, _around(getattr(owner, name), around))

    def _read(self, own: Any, source: Any, *rest: Any, **options: Any) -> Any:
        if isinstance(source, str):
            path = Path(source)
            say(f"donor {path.parent.name.rpartition('donor')[2]}: reading {path.name}")
        return own(source, *rest, **options)

    def _mirror(self, own: Any, annotation: Any, *rest: Any, **options: Any) -> Any:
        right = annotation["mni_x"] > 0
        self.right |= dict(zip(annotation["well_id"].tolist(), right.tolist(), strict=True))
        return own(annotation, *rest, **options)

    def _collapse(self, own: Any, levels: Any, annotation: Any, *rest: Any, **options: Any) -> Any:
        found = own(levels, annotation, *rest, **options)
        for donor, values in found.items():
            wells, right = annotation[donor]["well_id"], annotation[donor]["mni_x"] > 0
            was = [self.right.get(well, now) for well, now in zip(wells, right, strict=True)]
            self.raw[donor], self.wells[donor] = values.astype(np.float32), wells.to_numpy()
            self.mirrored[donor] = right.to_numpy() != np.array(was)
        return found

    def _label(self, own: Any, *rest: Any) -> Any:
        found = own(*rest)
        # abagen labels the samples of one donor after the other
        donor = list(self.raw)[len(self.regions)]
        mine = self.regions[donor] = found["label"].to_numpy()
        n_regions = len(np.unique(mine[mine > 0]))
        say(f"donor {donor}: {(mine > 0).sum()} of {len(mine)} samples lie in {n_regions} regions")
        return found

    def _match(self, own: Any, atlas: Any, labels: Any, levels: Any, annotation: Any) -> Any:
        weights, _ = own(atlas, labels, _one_each(levels), annotation)
        self._note(weights.index, weights, annotation)
        return own(atlas, labels, levels, annotation)

    def _interpolate(self, own: Any, atlas: Any, labels: Any, levels: Any, annotation: Any) -> Any:
        if not len(np.setdiff1d(atlas.labels, labels)):
            return levels.iloc[:0], labels.iloc[:0]
        weights, names = own(atlas, labels, _one_each(levels), annotation)
        self._note(names["label"], weights, annotation)
        return own(atlas, labels, levels, annotation)

    def _note(self, regions: Any, weights: Any, annotation: Any) -> None:
        donor, wells = list(self.regions)[-1], annotation["well_id"].to_numpy()
        for region, row in zip(regions, np.nan_to_num(weights.to_numpy(float)), strict=True):
            self.fills += [(donor, int(region), int(wells[i])) for i in np.flatnonzero(row)]

    def _aggregate(self, own: Any, levels: Any, **options: Any) -> Any:
        apart = {**options, "region_agg": "donors", "return_donors": True}
        self.expression = {d: e.astype(float) for d, e in own(dict(levels), **apart).items()}
        return own(levels, **options)

    def stability(self, abagen: Any, genes: Any) -> Any:
        """Return the differential stability of genes over sampled regions; NaN of one donor."""
        if len(self.expression) < 2:
            return np.full(len(genes), np.nan)
        sampled = [
            values[genes].where(pd.Series(values.index.isin(self.regions[d]), index=values.index))
            for d, values in self.expression.items()
        ]
        return abagen.keep_stable_genes(sampled, threshold=0, return_stability=True)[1]

    def sources(self, missing: str | None) -> tuple[dict[int, str], list[tuple[int, int]]]:
        """Return what each region's expression comes from, and the pairs that share samples."""
        found: dict[int, str] = {}
        of_well: dict[int, set[int]] = defaultdict(set)
        for donor, regions in self.regions.items():
            wells, images = self.wells[donor].tolist(), self.mirrored[donor].tolist()
            for region, well, image in zip(regions.tolist(), wells, images, strict=True):
                if region:
                    of_well[well].add(region)
                    found[region] = MIRRORED if image else found.get(region, SAMPLED)
        sampled = set(found)
        for _, region, well in self.fills:
            # with "centroids" only regions that no donor sampled are filled
            if missing == "interpolate" or region not in sampled:
                of_well[well].add(region)
                found[region] = PARTLY_FILLED if region in sampled else FILLED
        pairs = {pair for mine in of_well.values() for pair in combinations(sorted(mine), 2)}
        return found, sorted(pairs)


def _around(own: Any, recording: Any) -> Any:
    return lambda *rest, **options: recording(own, *rest, **options)


def _one_each(levels: Any) -> Any:
    """Make a table whose averages are the weights of the rows."""
    return pd.DataFrame(np.eye(len(levels)), index=levels.index)


def say(text: str) -> None:
    """Report progress to the parent."""
    print(f"{PROGRESS}{text}", flush=True)


def run(request: Mapping[str, Any]) -> None:
    """Do what the request asks for, and write the folder's files."""
    abagen, recorder = import_abagen(), Recorder()
    recorder.watch(abagen)
    atlas = abagen.images.check_atlas(_atlas(abagen, request), request["atlas_info"])
    expression, counts, methods = abagen.get_expression_data(
        atlas,
        request["atlas_info"],
        data_dir=request["data_dir"],
        return_counts=True,
        return_report=True,
        **request["options"],
    )
    out, labels = Path(request["out"]), {int(i): label for i, label in request["labels"].items()}
    genes = expression.columns.rename(None)
    (out / DONORS).mkdir(parents=True)
    for path, values in _tables(recorder, expression):
        values[genes].rename(index=labels).rename_axis("label").to_parquet(out / path)
    _samples(recorder, genes, labels).to_parquet(out / DONORS / SAMPLES)
    stability = recorder.stability(abagen, genes)
    table = pd.DataFrame({"gene": genes, "stability": stability}, columns=[*STABILITY_COLUMNS])
    table.to_csv(out / STABILITY, sep="\t", index=False, na_rep="n/a", float_format="%.6f")
    (out / METHODS).write_text(methods.strip() + "\n")
    sources, pairs = recorder.sources(request["options"]["missing"])
    result = {
        "counts": {donor: counts[donor].tolist() for donor in counts},
        "ids": counts.index.tolist(),
        "sources": sources,
        "pairs": pairs,
        "centroids": {int(i): place.tolist() for i, place in atlas.centroids.items()},
    }
    print(json.dumps(result), flush=True)


def _tables(recorder: Recorder, expression: Any) -> Iterator[tuple[Path, Any]]:
    yield Path(EXPRESSION), expression
    for donor, values in recorder.expression.items():
        yield Path(DONORS) / DONOR_EXPRESSION.format(donor), values


def _samples(recorder: Recorder, genes: Any, labels: Mapping[int, str]) -> Any:
    """Join all donors' samples with their regions, before any normalisation."""
    parts = []
    for donor, raw in recorder.raw.items():
        part = raw.reset_index(drop=True).reindex(columns=genes)
        part.insert(0, "mirrored", recorder.mirrored[donor])
        part.insert(0, "region", [labels.get(i, "n/a") for i in recorder.regions[donor].tolist()])
        part.insert(0, "well_id", recorder.wells[donor])
        part.insert(0, "donor", donor)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


def _atlas(abagen: Any, request: Mapping[str, Any]) -> Any:
    if request["image"]:
        return request["image"]
    surfaces, space = request["surfaces"], "fslr"
    if not surfaces:
        surfaces, space = abagen.datasets.fetch_fsaverage5(), "fsaverage5"
    points, triangles = abagen.images.check_geometry(surfaces, space)
    numbers = np.array(request["vertices"])
    return abagen.AtlasTree(numbers, coords=points, triangles=triangles)


if __name__ == "__main__":
    try:
        run(json.loads(Path(sys.argv[1]).read_text()))
    except Exception as error:
        # abagen raises whatever it stumbles over; the parent makes a sentence of it
        print(f"{type(error).__name__}: {' '.join(str(error).split())}", flush=True)
        sys.exit(1)
