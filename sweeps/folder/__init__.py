"""The run folder: its paths, records, lock and provenance."""
