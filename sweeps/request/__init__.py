"""The request of a sweep: options, checks, plan."""
