"""Names of GeneEx2Conn and what they are called here: models, datasets, features, values.

Read from its repository at commit 4e929d7; some names are of earlier files.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple


class Ours(NamedTuple):
    """Options here, and the difference from what the name means there.

    Attributes
    ----------
    options
        Values by option; empty where the default is the same or nothing corresponds.
    why
        The difference and its reason; empty where there is none.
    """

    options: Mapping[str, Any] = {}
    why: str = ""


def _model(name: str, why: str = "") -> Ours:
    return Ours({"model": name}, why)


_SEVERAL = "there, all components are one token, so attention has nothing to weigh; here several"
_WRAPPER = "a wrapper of scikit-learn that no experiment could reach; this is the nearest model"
MODELS: Mapping[str, Ours] = {
    "cge": _model("cge"),
    "gaussian_kernel": _model("gaussian_kernel", "its width always starts within its bounds"),
    "exponential_decay": _model("exponential_decay", "the fit replaces the start values"),
    "bilinear_lowrank": _model("bilinear_lowrank", "the l2 penalty is squared"),
    "bilinear_CM": _model("bilinear_cm", "solved in the space of regions: the same numbers"),
    "xgboost": _model("xgboost", "on components of training regions; no test fold is watched"),
    "pls_twostep": _model(
        "pls_twostep",
        "learns from no train x test edges; pls_twostep_published does, and is labelled",
    ),
    "pls_mlpdecoder": _model("pls_mlp", "scores are centred and scaled"),
    "pls_bilineardecoder": _model(
        "bilinear_cm_pls", "scores are centred and scaled; pls_bilinear is the trained form"
    ),
    "dynamic_mlp": _model("mlp"),
    "shared_mlp_encoder": _model("shared_mlp"),
    "shared_linear_encoder": _model("shared_linear", "the l2 penalty is squared"),
    "shared_transformer": _model("smt", "geography+smt learns what location leaves"),
    "shared_transformer_pool": _model("smt_pool"),
    "shared_transformer_cls": _model("smt_cls"),
    "shared_transformer_cls_pool": _model("smt_cls_pool"),
    "shared_transformer_conv": _model("smt_conv"),
    "shared_transformer_pca": _model("smt_pca", _SEVERAL),
    "shared_transformer_pls": _model("smt_pls", _SEVERAL),
    "shared_transformer_ae": _model(
        "smt_ae", f"the autoencoder learns from each fold's training regions; {_SEVERAL}"
    ),
    "shared_transformer_celltype": _model(
        "smt_celltype", "signatures: --gene-vectors, or the bundled groups of genes"
    ),
    "shared_transformer_geneformer": _model("smt_geneformer", "give --embeddings FILE"),
    "shared_transformer_gene2vec": _model(
        "genevec_self", "no class has this name there; vectors: --gene-vectors FILE"
    ),
    "self_attention_genevec": _model("genevec_self"),
    "cross_attention_genevec": _model("genevec_cross", "no dropout in prediction"),
    "mixed_attention_genevec": _model("genevec_mixed"),
    "linear": _model("kernel_ridge", _WRAPPER),
    "ridge": _model("kernel_ridge", _WRAPPER),
    "svm": _model("kernel_ridge", _WRAPPER),
    "pls": _model("bilinear_cm_pls", _WRAPPER),
    "random_forest": _model("xgboost", _WRAPPER),
}

# Forms of models that read principal components, or coordinates in addition to genes
ON_COMPONENTS: Mapping[str, str] = {
    "mlp": "mlp_pca",
    "bilinear_cm": "bilinear_cm_pca",
    "bilinear_lowrank": "bilinear_lowrank_pca",
    "smt": "smt_pca",
    "cge": "cge",
    "xgboost": "xgboost",
}
WITH_COORDINATES: Mapping[str, str] = {"mlp": "mlp_coords", "smt": "smt_cls"}

# Components of 95 % of the variance of the published expression; all, of up to 400 regions
_SOME, _ALL = "expression-pca:27", "expression-pca:400"
FEATURES: Mapping[str, tuple[str, ...]] = {
    "transcriptome": ("expression",),
    "transcriptome_PCA_95var": (_SOME,),
    "transcriptome_PCA_full": (_ALL,),
    "euclidean": ("coordinates",),
    "structural": ("structural",),
    "structural_spatial_null": ("coordinates", "structural"),
    "transcriptome_spatial_autocorr_null": ("coordinates", "structural", _SOME, "expression"),
}
# Before the number of eigenvectors
EIGENVECTORS: Mapping[str, str] = {
    "structural_spectral_L_": "structural-laplacian",
    "structural_spectral_A_": "structural-adjacency",
}


def _fetched(name: str, why: str) -> Ours:
    return Ours({"dataset": name}, f"gx2c data fetch {name}; {why}")


_CORTEX = "only its cortex has public expression"
_NO_GENES = "no expression of its regions is public: gx2c data import adds yours"
DATASETS: Mapping[tuple[str, str], Ours] = {
    ("UKBB", "S456"): _fetched("ukbb_s456", _CORTEX),
    ("UKBB", "S400"): _fetched("ukbb_s456", f"S400 is its earlier name; {_CORTEX}"),
    ("UKBB", "S156"): _fetched("ukbb_s156", _CORTEX),
    ("HCP", "S456"): _fetched("hcp_s456", _CORTEX),
    ("HCP", "S100"): Ours(
        {"dataset": "schaefer100"}, "bundled: the cortex of this atlas, with correlations of HCP"
    ),
    ("BHA2", "iPA_183"): _fetched("ipa183", "regions are named by their numbers"),
    ("BHA2", "iPA_391"): _fetched("ipa391", _NO_GENES),
    ("BHA2", "iPA_729"): _fetched("ipa729", _NO_GENES),
}
OUR_DATASETS = {ours.options["dataset"] for ours in DATASETS.values()}


def _from_gmt(name: str) -> Ours:
    return Ours({"genes": f"{name}.gmt"}, f"gx2c data gene-sets {name} fetches the list")


GENES: Mapping[str, Ours] = {
    "1": Ours({"genes": "all"}),
    **{n: Ours({"genes": n}) for n in ("brain", "neuron", "oligodendrocyte", "synaptome")},
    "layers": Ours({"genes": "layers"}),
    "all_abagen": Ours({"genes": "all_groups"}, "the same five groups of abagen"),
    **{name: _from_gmt(name) for name in ("richiardi2015", "syngo", "lake_shared")},
}
GENE_ORDERS: Mapping[str | None, Ours] = {
    None: Ours({"gene_order": "tss"}, "without an order, an error there"),
    "refgenome": Ours({"gene_order": "tss"}),
    "expression": Ours({"gene_order": "expression"}, "means over training regions, not over all"),
    "random": Ours({"gene_order": "random"}),
    **{
        f"{n}bin_constrained_kmeans": Ours(
            {"gene_order": f"cluster_{n}"}, "clusters of training regions, not of a file"
        )
        for n in (20, 60, 180)
    },
}
_MIRRORED = "homologues of test regions stay in training; --split bilateral holds them out too"
SPLITS: Mapping[str, Ours] = {
    "random": Ours({"split": "random"}, _MIRRORED),
    "random_full": Ours({"split": "random", "folds": 100}, _MIRRORED),
    "spatial": Ours({"split": "spatial"}, _MIRRORED),
    "schaefer": Ours({"split": "network"}, "all networks that have expression"),
    "lobe": Ours({"split": "lobe"}, "all lobes that have expression"),
    "community": Ours(
        {"split": "community-target"},
        "raises an error there; it reads the target, which every output states: --split community "
        "reads other people's connectome",
    ),
}
TARGETS: Mapping[str, Ours] = {
    "FC": Ours({"target": "functional"}),
    "SC": Ours({"target": "structural"}),
}
# A curve of distance was fitted to the edges of all regions
RESIDUAL_TARGETS, CURVE_TARGETS = ("FC_EXP_RES", "FC_FOCAL_RES"), ("FC_EXP_DECAY", "FC_FOCAL_DECAY")
NULLS: Mapping[str | bool | None, Ours] = {
    "none": Ours({"nulls": 0}, "no null test, so the verdict ends early; --nulls adds it"),
    "spin": Ours(
        {},
        "one of ten chosen spins replaces the genes there; here the model is compared with every "
        "surrogate of the verdict (--null-method spatiomolecular: chosen spins)",
    ),
    "random": Ours({"null_method": "random"}, "compared with the true genes in the same sweep"),
}
# earlier files
NULLS = {**NULLS, False: NULLS["none"], None: NULLS["none"], True: NULLS["spin"]}
