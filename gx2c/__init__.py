"""gx2c: predict the functional connectome from gene expression, beside geography."""

__version__ = "0.1.0"
