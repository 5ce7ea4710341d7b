"""Datasets: load, check, build and make brains; choose genes."""

from gx2c.data.brain import Brain, FloatArray, IntArray, Regions, take_regions
from gx2c.data.dataset import check_dataset, describe_dataset, list_datasets, load_dataset
from gx2c.data.gene_sets import gene_groups, read_gmt, resolve_genes
from gx2c.data.genes import GENE_ORDERS, count_genes, gene_order, read_gene_list, select_genes
from gx2c.data.layout import find_dataset
from gx2c.data.synthetic import PlantedParts, make_synthetic_brain, planted_parts
from gx2c.data.views import BrainView
from gx2c.data.writing import write_dataset

__all__ = [
    "GENE_ORDERS",
    "Brain",
    "BrainView",
    "FloatArray",
    "IntArray",
    "PlantedParts",
    "Regions",
    "check_dataset",
    "count_genes",
    "describe_dataset",
    "find_dataset",
    "gene_groups",
    "gene_order",
    "list_datasets",
    "load_dataset",
    "make_synthetic_brain",
    "planted_parts",
    "read_gene_list",
    "read_gmt",
    "resolve_genes",
    "select_genes",
    "take_regions",
    "write_dataset",
]
