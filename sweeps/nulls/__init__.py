"""Null evaluation and calibration across many surrogates."""
