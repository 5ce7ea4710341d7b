"""One sweep from start to summary; rerun, status, progress."""
