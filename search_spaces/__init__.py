"""What may vary: one search space per model."""
