"""One trial as Ray Tune runs it; only `fold_trainable` imports Ray."""
