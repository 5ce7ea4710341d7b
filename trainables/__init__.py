"""Ray's view of one trial; `fold_trainable` alone imports Ray."""
