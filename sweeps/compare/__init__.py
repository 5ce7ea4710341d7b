"""Comparison of finished runs: paired tests, leaderboard, sweeps of many models."""
