"""Make ahba_references.json: abagen's numbers under the versions that it was written for.

    python3.11 -m venv old
    old/bin/pip install abagen==0.1.3 "pandas<2" "numpy<1.24" "setuptools<81"
    old/bin/python tests/importing/data/make_ahba_references.py

Sums over regions and over genes of every variant, in full precision, on the synthetic donors.
"""

import json
import os
import sys
import tempfile
import warnings
from pathlib import Path

warnings.simplefilter("ignore")
sys.path.insert(0, str(Path(__file__).parents[1]))

import abagen  # noqa: E402
import numpy as np  # noqa: E402
from donors import ATLAS, INFO, write_donors  # noqa: E402

VARIANTS = {
    "default": {},
    "max_intensity": {"probe_selection": "max_intensity", "lr_mirror": "bidirectional"},
    "max_variance": {"probe_selection": "max_variance", "donor_probes": "independent"},
    "pc_loading": {"probe_selection": "pc_loading", "lr_mirror": "leftright"},
    "corr_variance": {"probe_selection": "corr_variance", "donor_probes": "common"},
    "corr_intensity": {"probe_selection": "corr_intensity", "sim_threshold": 2.0},
    "average": {"probe_selection": "average", "agg_metric": "median", "corrected_mni": False},
    "centroids": {"missing": "centroids"},
    "interpolate": {"missing": "interpolate", "norm_structures": True},
    "samples": {"region_agg": "samples", "gene_norm": "zscore", "sample_norm": None},
    "all samples": {"norm_matched": False, "missing": "centroids", "lr_mirror": "rightleft"},
    "rnaseq": {"probe_selection": "rnaseq"},
    "reannotated": {"reannotated": True},
    "one donor": {"donors": ["9861"], "probe_selection": "max_variance", "ibf_threshold": 0.75},
}


def main() -> None:
    """Run every variant and write its sums."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        data_dir = os.environ["ABAGEN_DATA"] = str(write_donors(Path(folder)))
        abagen.probes_.resource_filename = lambda *_: f"{data_dir}/reannotated.csv.gz"
        for name, options in VARIANTS.items():
            # abagen's new annotation needs all of its 45,821 probes
            options = {"donors": ["9861", "10021", "12876"], "reannotated": False, **options}
            expression, counts = abagen.get_expression_data(
                str(ATLAS), str(INFO), data_dir=data_dir, return_counts=True, **options
            )
            values = expression.to_numpy(dtype=float)
            found[name] = {
                "options": options,
                "genes": list(expression.columns),
                "empty": np.flatnonzero(np.isnan(values).all(axis=1)).tolist(),
                "of_regions": np.nansum(values, axis=1).tolist(),
                "of_genes": np.nansum(values, axis=0).tolist(),
                "n_samples": counts.to_numpy().sum(axis=1).tolist(),
            }
    lines = [f"{json.dumps(name)}: {json.dumps(one)}" for name, one in found.items()]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    (Path(__file__).parent / "ahba_references.json").write_text(text)


if __name__ == "__main__":
    main()
