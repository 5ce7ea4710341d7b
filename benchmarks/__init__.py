"""Measurements, each with its machine, repeats and spread; run them by `gx2c bench NAME`."""
