"""Fitted models as files: every sweep saves them, and they load without one."""

# The files of a saved model, and the list of them in a run
MODEL_FILE, ARRAYS_FILE, INDEX_FILE = "model.json", "arrays.safetensors", "models.json"
