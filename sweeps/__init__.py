"""Whole experiments: search, retrain, null evaluation, rerun, report."""
