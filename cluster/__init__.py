"""Where sweeps run."""
