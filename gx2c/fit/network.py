"""Networks of one shape as one computation: encode each region once, decode all pairs."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from gx2c.data.brain import Regions
from gx2c.fit.augmenter import make_augmenter
from gx2c.fit.blocks import draw_blocks, steps_per_pass
from gx2c.fit.compute import ComputeProfile
from gx2c.fit.config import FitConfig
from gx2c.fit.prepare import InputMaker, NetworkInputs, TrainingSet
from gx2c.models import MODELS
from gx2c.models.population import RandomStreams, connect_streams, initialise

FloatArray = NDArray[np.float64]

# Of all members together while predicting: bounds memory whatever the number of regions
MAX_PAIRS_AT_ONCE = 16_384
MAX_REGIONS_AT_ONCE = 64


def derive_seed(*entropy: int) -> int:
    """Derive a seed from whole numbers; different numbers give unrelated seeds."""
    # as entropy alone, [seed] and [seed, 0] would be the same: a spawn key keeps its length
    sequence = np.random.SeedSequence(entropy[0], spawn_key=entropy[1:])
    return int(sequence.generate_state(1, np.uint64)[0] >> 1)


def off_diagonal_values(connectome: FloatArray) -> FloatArray:
    """Return the values of all ordered pairs i != j, row-major."""
    return connectome[~np.eye(len(connectome), dtype=bool)]


class NetworkFit:
    """K networks of one config (inner folds, seeds or surrogates), each on its own regions.

    Every random choice of member k depends on `seeds[k]` and the pass alone, so members that have
    equally many training regions may be grouped at will (but for rounding), and all may be
    interrupted and resumed at any pass. Numbers of regions that differ meet in `steps_per_pass`.

    Parameters
    ----------
    config
        Of an iterative model.
    training_sets
        One per member.
    seeds
        One per member.
    profile
        How to compute.
    steps
        Steps in a pass and regions in a block; by default those of these training sets.
    """

    def __init__(
        self,
        config: FitConfig,
        training_sets: Sequence[TrainingSet],
        *,
        seeds: Sequence[int],
        profile: ComputeProfile,
        steps: tuple[int, int] | None = None,
    ) -> None:
        self.config, self.seeds, self.profile = config, tuple(seeds), profile
        self.device = torch.device(profile.device)
        self.input_makers = [InputMaker(s.regions) for s in training_sets]
        self.inputs = [
            maker(s.regions, self.device)
            for maker, s in zip(self.input_makers, training_sets, strict=True)
        ]
        self.targets = [
            torch.from_numpy(s.connectome.astype(np.float32)).to(self.device) for s in training_sets
        ]
        self.n_steps, self.block = steps or steps_per_pass(
            [len(s.regions) for s in training_sets], config.training.block_regions
        )
        self.augmenter = make_augmenter(config, training_sets)
        self._build(training_sets)

    def _build(self, training_sets: Sequence[TrainingSet]) -> None:
        n_genes = self.inputs[0].expression.shape[1]
        spec, vectors = MODELS[self.config.model], training_sets[0].gene_vectors
        self.network = spec.build(
            n_genes,
            **_gene_dims(vectors if spec.reads_gene_vectors else None),
            n_members=len(self.seeds),
            attention=self.profile.attention,
            **self.config.hyperparameters,
        )
        initialise(self.network, [derive_seed(seed, 0) for seed in self.seeds])
        means = [float(off_diagonal_values(s.connectome).mean()) for s in training_sets]
        self.network.set_output_mean(torch.tensor(means))
        for member, (maker, training) in enumerate(
            zip(self.input_makers, training_sets, strict=True)
        ):
            seed = derive_seed(self.seeds[member], 0, 0)
            self.network.prepare(member, maker.view(training), seed=seed)
        self.network.to(self.device)
        self.streams = RandomStreams(len(self.seeds), self.device)
        connect_streams(self.network, self.streams)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(),
            lr=self.config.training.learning_rate,
            weight_decay=self.config.training.weight_decay,
            fused=True,
        )

    def run_pass(self, number: int, learning_rate: float) -> FloatArray:
        """Train one pass.

        Parameters
        ----------
        number
            Of the pass, from 1.
        learning_rate
            Constant within the pass.

        Returns
        -------
        (n_members,) array
            Mean squared error over the pairs visited; not finite if a member diverged.
        """
        pass_seeds = [derive_seed(seed, number) for seed in self.seeds]
        self.streams.seed(pass_seeds)
        if self.augmenter is not None:
            self.augmenter.begin_pass(number, pass_seeds)
        blocks = [
            torch.from_numpy(
                draw_blocks(
                    len(target),
                    n_steps=self.n_steps,
                    block=self.block,
                    rng=np.random.default_rng(seed),
                )
            ).to(self.device)
            for target, seed in zip(self.targets, pass_seeds, strict=True)
        ]
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        self.network.train()
        losses = [self.step_on([b[step] for b in blocks]) for step in range(self.n_steps)]
        return torch.stack(losses).mean(0).double().cpu().numpy()

    def step_on(self, block: Sequence[Tensor]) -> Tensor:
        """Take one optimiser step on a block of regions per member; return each one's loss."""
        targets = torch.stack(
            [target[rows][:, rows] for target, rows in zip(self.targets, block, strict=True)]
        )
        self.optimizer.zero_grad(set_to_none=True)
        mse = self.loss(block, targets)
        penalty = self.network.penalty()
        # a sum over members keeps each member's gradient what it would be alone
        total = mse.sum() if penalty is None else mse.sum() + penalty
        total.backward()
        self.optimizer.step()
        return mse.detach()

    def loss(self, block: Sequence[Tensor], targets: Tensor) -> Tensor:
        """Mean squared error of each member on all ordered pairs of its block, (n_members,)."""
        expression = torch.stack(
            [i.expression[rows] for i, rows in zip(self.inputs, block, strict=True)]
        )
        coords = torch.stack([i.coords[rows] for i, rows in zip(self.inputs, block, strict=True)])
        counts = None
        if self.augmenter is not None:
            expression, targets, counts = self.augmenter.vary(block, expression, targets)
        with self.profile.autocast():
            predicted = self.network.decode_within(self.network.encode(expression, coords))
        # half-precision predictions are promoted by the float32 targets
        squares: Tensor = (predicted - ordered_pairs(targets)).square()
        if counts is None:
            return squares.mean(1)
        count = ordered_pairs(counts)
        loss: Tensor = (squares * count).sum(1) / count.sum(1)
        return loss

    @torch.no_grad()
    def predict(self, regions: Sequence[Regions]) -> list[FloatArray]:
        """Predict the connectome among each member's regions.

        Returns
        -------
        list of (n_regions, n_regions) arrays
            Symmetric, (i, j) and (j, i) averaged, within [-1, 1]; NaN where the network overflows.
        """
        self.network.eval()
        inputs = [m(r, self.device) for m, r in zip(self.input_makers, regions, strict=True)]
        with self.profile.autocast():
            z = self._encode_all(*_pad(inputs))
            rows = max(1, MAX_PAIRS_AT_ONCE // (z.shape[0] * z.shape[1]))
            chunks = [
                self.network.decode_between(part, z).float() for part in torch.split(z, rows, dim=1)
            ]
        predicted = torch.cat(chunks, dim=1).double().cpu().numpy()
        return [_finish(p[: len(r), : len(r)]) for p, r in zip(predicted, regions, strict=True)]

    def _encode_all(self, expression: Tensor, coords: Tensor) -> Tensor:
        per_chunk = max(1, MAX_REGIONS_AT_ONCE // len(expression))
        parts = (torch.split(tensor, per_chunk, dim=1) for tensor in (expression, coords))
        chunks = [self.network.encode(x, c) for x, c in zip(*parts, strict=True)]
        return torch.cat(chunks, dim=1)

    def state_dict(self) -> dict[str, Any]:
        """Return a copy of all that `load_state_dict` needs to continue at the next pass."""
        state = {"network": self.network.state_dict(), "optimizer": self.optimizer.state_dict()}
        return copy.deepcopy(state)

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a saved state."""
        self.network.load_state_dict(state["network"])
        # the optimiser would go on writing into the tensors that it is given
        self.optimizer.load_state_dict(copy.deepcopy(state["optimizer"]))

    def weights(self) -> dict[str, Tensor]:
        """Return a copy of the weights that later training does not touch."""
        return {name: value.detach().clone() for name, value in self.network.state_dict().items()}

    def restore(self, weights: dict[str, Tensor]) -> None:
        """Put back weights that `weights` returned."""
        self.network.load_state_dict(weights)


def ordered_pairs(matrices: Tensor) -> Tensor:
    """Take all pairs i != j of (n_members, n, n), row-major: (n_members, n * (n - 1))."""
    n = matrices.shape[1]
    above = matrices.reshape(-1, n * n)[:, 1:].reshape(-1, n - 1, n + 1)[:, :, :-1]
    return above.reshape(len(above), -1)


def _gene_dims(vectors: FloatArray | None) -> dict[str, int]:
    return {} if vectors is None else {"n_gene_dims": vectors.shape[1]}


def _pad(inputs: Sequence[NetworkInputs]) -> tuple[Tensor, Tensor]:
    """Stack members of different size; surplus rows repeat the first region and are cut later."""
    most = max(len(i.expression) for i in inputs)
    rows = [torch.arange(most) % len(i.expression) for i in inputs]
    return (
        torch.stack([i.expression[r] for i, r in zip(inputs, rows, strict=True)]),
        torch.stack([i.coords[r] for i, r in zip(inputs, rows, strict=True)]),
    )


def _finish(predicted: FloatArray) -> FloatArray:
    # clipping would turn an overflow into a confident 1, and hide that the fit diverged
    finite = np.where(np.isfinite(predicted), predicted, np.nan)
    return np.clip((finite + finite.T) / 2, -1.0, 1.0)
