"""Where sweeps run: cluster files, and the check of them."""
