"""Cluster files and their checker."""
