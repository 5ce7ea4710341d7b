"""Datasets: load, check, build and make brains; choose genes."""

from gx2c.data.brain import Brain, FloatArray, IntArray, Regions
from gx2c.data.dataset import (
    check_dataset,
    describe_dataset,
    list_datasets,
    load_dataset,
)
from gx2c.data.layout import find_dataset
from gx2c.data.writing import write_dataset

__all__ = [
    "Brain",
    "FloatArray",
    "IntArray",
    "Regions",
    "check_dataset",
    "describe_dataset",
    "find_dataset",
    "list_datasets",
    "load_dataset",
    "write_dataset",
]
