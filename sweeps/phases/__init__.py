"""The phases of a sweep: search, retrain, nulls."""
