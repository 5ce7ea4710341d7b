"""Ray session, tasks and GPU packing."""
