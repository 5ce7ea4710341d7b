"""The class that Ray Tune runs for one trial."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Any

import torch
from ray import tune
from ray.tune.result import DONE, SHOULD_CHECKPOINT

from trainables.checkpoint import CHECKPOINT_FILE, read_checkpoint, write_checkpoint
from trainables.gpu import cap_gpu_memory
from trainables.runners import make_runner
from trainables.work import TrialContext, TrialWork

logger = logging.getLogger("gx2c")


class FoldTrainable(tune.Trainable):  # type: ignore[misc]
    """One trial: configs of one model on the inner folds of one outer fold.

    `config` is a `TrialWork` as plain values; the brain, the folds and all that trials share
    come once, through `tune.with_parameters`.
    """

    checkpointed: float

    def setup(self, config: dict[str, Any], *, context: TrialContext) -> None:
        """Build everything anew from the config."""
        self.context = context
        cap_gpu_memory(context, config.get("gpu_share", context.gpu_fraction))
        self._begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Turn this actor to another trial; nothing of the last one remains."""
        self._begin(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Work until there is something to report."""
        try:
            result = self.runner.step()
        except torch.OutOfMemoryError as error:
            # of the share, not of the config: the sweep decides what becomes of it
            return {"out_of_memory": str(error).splitlines()[0], DONE: True}
        if time.monotonic() - self.checkpointed > self.context.checkpoint_interval_s:
            self.checkpointed = time.monotonic()
            result[SHOULD_CHECKPOINT] = True
        return result

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Write tensors and plain values, so that loading needs no pickled code."""
        write_checkpoint(Path(checkpoint_dir), self.work, self.runner.state_dict())

    def load_checkpoint(self, checkpoint_dir: str) -> None:
        """Continue where the checkpoint was taken."""
        self._continue_from((Path(checkpoint_dir) / CHECKPOINT_FILE).read_bytes())

    def restore(self, checkpoint_path: Any) -> None:
        """Continue from a checkpoint of this session; begin anew if it cannot be used."""
        try:
            super().restore(checkpoint_path)
        except (ValueError, OSError) as error:
            logger.warning("%s begins anew: %s", self.work.name, error)
            self._begin(self.work.to_dict())

    def _begin(self, config: dict[str, Any]) -> None:
        self.work = TrialWork.from_dict(config)
        self.checkpointed = time.monotonic()
        self.runner = make_runner(self.work, self.context)
        for path in self.work.checkpoints:
            try:
                with self._storage.storage_filesystem.open_input_file(path) as stream:
                    self._continue_from(stream.read())
            except (ValueError, OSError) as error:
                logger.warning("%s is not used: %s", path, error)
                continue
            # the driver of this session has heard of none of these passes
            self.runner.report_again()
            return

    def _continue_from(self, content: bytes) -> None:
        state = read_checkpoint(content, self.work, device=self.context.profile.device)
        self.runner.load_state_dict(state)
