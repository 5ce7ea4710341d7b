"""The class that Ray Tune runs for one trial."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from pyarrow import fs
from ray import tune
from ray.tune.result import DONE, SHOULD_CHECKPOINT

from gx2c.errors import logger
from trainables.runners import cap_gpu_memory, make_runner
from trainables.work import (
    CHECKPOINT_FILE,
    TrialContext,
    TrialWork,
    read_checkpoint,
    title_of,
    write_checkpoint,
)

# their pauses double, from 25 ms on
S3_ATTEMPTS = 9


def patient(filesystem: fs.FileSystem) -> fs.FileSystem:
    """Return a file system that repeats a request which S3 refuses, for up to about ten seconds.

    The driver's does so already. A worker's comes from a pickle, in which pyarrow keeps everything
    but that: after three refusals the trial would fail, and a new worker take seconds to start.
    """
    if not isinstance(filesystem, fs.S3FileSystem):
        return filesystem
    options = filesystem.__reduce__()[1][0]
    strategy = fs.AwsDefaultS3RetryStrategy(max_attempts=S3_ATTEMPTS)
    return fs.S3FileSystem(**options, retry_strategy=strategy)


class FoldTrainable(tune.Trainable):  # type: ignore[misc]
    """One trial: configs of one model on the inner folds of one outer fold.

    `config` is a `TrialWork` as plain values; the brain, the folds and other shared objects are
    passed once, through `tune.with_parameters`.
    """

    checkpointed: float
    # of Tune; without it there is none
    _storage: Any = None

    def setup(self, config: dict[str, Any], *, context: TrialContext) -> None:
        """Build the trial's state from the config."""
        self.context = context.on_this_device()
        cap_gpu_memory(context, config.get("gpu_share", context.gpu_fraction))
        self._begin(config)

    def reset_config(self, new_config: dict[str, Any]) -> bool:
        """Reuse this actor for another trial; no state of the last one remains."""
        self._begin(new_config)
        return True

    def __repr__(self) -> str:
        # Ray asks once, when the actor is made; its later trials are named by their tasks
        return title_of(self.work.model, self.work.fold, self.work.numbers)

    def step(self) -> dict[str, Any]:
        """Work until there is something to report."""
        try:
            result = self.runner.step()
        except torch.OutOfMemoryError as error:
            # a failure of the GPU share, not of the config: the sweep decides how to proceed
            return {"out_of_memory": str(error).splitlines()[0], DONE: True}
        result["profile"] = asdict(self.context.profile)
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
        """Continue from a checkpoint of this session; start over if it is unusable."""
        try:
            super().restore(checkpoint_path)
        except (ValueError, OSError) as error:
            logger.warning("%s starts over: %s", self.work.name, error)
            self._begin(self.work.to_dict())

    def _begin(self, config: dict[str, Any]) -> None:
        self.work = TrialWork.from_dict(config)
        if self._storage:
            # Tune passes another with each trial
            self._storage.storage_filesystem = patient(self._storage.storage_filesystem)
        self.checkpointed = time.monotonic()
        self.runner = make_runner(self.work, self.context)
        for path in self.work.checkpoints:
            try:
                with self._storage.storage_filesystem.open_input_file(path) as stream:
                    self._continue_from(stream.read())
            except (ValueError, OSError) as error:
                logger.warning("%s is not used: %s", path, error)
                continue
            # the driver of this session has received none of these epochs
            self.runner.report_again()
            return

    def _continue_from(self, content: bytes) -> None:
        state = read_checkpoint(content, self.work, device=self.context.profile.device)
        self.runner.load_state_dict(state)
