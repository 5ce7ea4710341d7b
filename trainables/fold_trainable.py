"""The class that Ray Tune runs for one trial."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from ray import tune
from ray.tune.result import SHOULD_CHECKPOINT

from trainables.runners import make_runner
from trainables.work import TrialContext, TrialWork

CHECKPOINT_FILE = "trial.pt"


class FoldTrainable(tune.Trainable):  # type: ignore[misc]
    """One trial: configs of one model on the inner folds of one outer fold.

    `config` is a `TrialWork` as plain values; the brain, the folds and all that trials share
    come once, through `tune.with_parameters`.
    """

    checkpointed: float

    def setup(self, config: dict[str, Any], *, context: TrialContext) -> None:
        """Build everything anew from the config."""
        self.context = context
        if context.profile.device == "cuda":
            torch.cuda.set_per_process_memory_fraction(min(1.0, context.gpu_fraction))
        self._begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Turn this actor to another trial; nothing of the last one remains."""
        self._begin(new_config)
        return True

    def step(self) -> dict[str, Any]:
        """Work until there is something to report."""
        result = self.runner.step()
        if time.monotonic() - self.checkpointed > self.context.checkpoint_interval_s:
            self.checkpointed = time.monotonic()
            result[SHOULD_CHECKPOINT] = True
        return result

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """Write tensors and plain values, so that loading needs no pickled code."""
        torch.save(self.runner.state_dict(), Path(checkpoint_dir) / CHECKPOINT_FILE)

    def load_checkpoint(self, checkpoint_dir: str) -> None:
        """Continue where the checkpoint was taken."""
        state = torch.load(
            Path(checkpoint_dir) / CHECKPOINT_FILE,
            weights_only=True,
            map_location=self.context.profile.device,
        )
        self.runner.load_state_dict(state)

    def _begin(self, config: dict[str, Any]) -> None:
        self.runner = make_runner(TrialWork.from_dict(config), self.context)
        self.checkpointed = time.monotonic()
