"""Models with a closed-form fit."""
