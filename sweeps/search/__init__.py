"""The search: proposal of configs, early stopping, and adapters to Ray Tune."""
