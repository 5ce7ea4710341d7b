"""Shared storage of finished work: a folder, S3 or Google Cloud."""
