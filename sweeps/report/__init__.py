"""The page of a finished run: it reads results and computes none."""
