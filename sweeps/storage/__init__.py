"""Where finished work is kept beside the run folder: a shared folder, S3 or Google Cloud."""
