"""How often each null is wrong: false positives of maps and of the whole pipeline."""
