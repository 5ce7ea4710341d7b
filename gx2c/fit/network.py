"""Networks of one shape as one computation: encode each region once, decode all pairs."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from gx2c.data.brain import FloatArray, IntArray, Regions
from gx2c.fit.compute import ComputeProfile
from gx2c.fit.config import FitConfig
from gx2c.fit.predictor import NetworkPredictor, build_network
from gx2c.fit.prepare import InputMaker, TrainingSet, make_augmenter
from gx2c.fit.start import STREAM, Start
from gx2c.models.layers.bases import PairNetwork, asymmetry
from gx2c.models.layers.population import RandomStreams, connect_streams, initialise, prepare


def steps_per_epoch(n_regions: Sequence[int], block_regions: int) -> tuple[int, int]:
    """Return steps in an epoch and regions in a block.

    Parameters
    ----------
    n_regions
        Training regions of each network trained side by side; their mean number of pairs counts,
        so that all of them take the same number of steps.
    block_regions
        Regions wanted in a block; no network can have more than it has regions.
    """
    block = min(block_regions, *n_regions)
    pairs = float(np.mean([n * (n - 1) for n in n_regions]))
    return max(1, round(pairs / (block * (block - 1)))), block


def draw_blocks(n_regions: int, *, n_steps: int, block: int, rng: np.random.Generator) -> IntArray:
    """Cut random permutations of the regions into blocks, (n_steps, block).

    A block lies within one permutation: a region never meets itself in it.
    """
    per_permutation = n_regions // block
    permutations = [
        rng.permutation(n_regions)[: per_permutation * block].reshape(per_permutation, block)
        for _ in range(-(-n_steps // per_permutation))
    ]
    return np.concatenate(permutations)[:n_steps]


# Added to the product of two variances in a correlation, far below those of any edges
VARIANCES_OF_NONE = 1e-14


def derive_seed(*entropy: int) -> int:
    """Derive a seed from whole numbers; different numbers give unrelated seeds."""
    # as entropy alone, [seed] and [seed, 0] would be the same: a spawn key keeps its length
    sequence = np.random.SeedSequence(entropy[0], spawn_key=entropy[1:])
    return int(sequence.generate_state(1, np.uint64)[0] >> 1)


class NetworkFit:
    """K networks of one config (inner folds, seeds or surrogates), each on its own regions.

    Every random choice of member k depends on `seeds[k]` and the epoch alone, so members that have
    equally many training regions may be grouped at will (but for rounding), and all may be
    interrupted and resumed at any epoch. Numbers of regions that differ meet in `steps_per_epoch`.

    Parameters
    ----------
    config
        Config of a model that trains in epochs.
    training_sets
        One per member.
    seeds
        One per member.
    profile
        Device, threads and number format.
    steps
        Steps in an epoch and regions in a block; by default those of these training sets.
    start
        Networks from which these start, each from one that its seed draws; None for random weights.
        They keep the standardisation of those, and everything that their layers learned.
    """

    def __init__(
        self,
        config: FitConfig,
        training_sets: Sequence[TrainingSet],
        *,
        seeds: Sequence[int],
        profile: ComputeProfile,
        steps: tuple[int, int] | None = None,
        start: Start | None = None,
    ) -> None:
        self.config, self.seeds, self.profile = config, tuple(seeds), profile
        self.device = torch.device(profile.device)
        drawn = [] if start is None else [derive_seed(s, STREAM) % len(start) for s in self.seeds]
        self.input_makers = (
            [InputMaker.learn(s.regions) for s in training_sets]
            if start is None
            else [start.input_makers[network] for network in drawn]
        )
        self.inputs = [
            maker(s.regions, self.device)
            for maker, s in zip(self.input_makers, training_sets, strict=True)
        ]
        self.targets = [
            torch.from_numpy(s.connectome.astype(np.float32)).to(self.device) for s in training_sets
        ]
        self.n_steps, self.block = steps or steps_per_epoch(
            [len(s.regions) for s in training_sets], config.training.block_regions
        )
        self.augmenter = make_augmenter(config, training_sets)
        vectors = training_sets[0].gene_vectors
        self.n_gene_dims = 0 if vectors is None else vectors.shape[1]
        if start is not None:
            self.n_gene_dims = start.n_gene_dims
        self._build()
        if start is None:
            self._initialise(training_sets)
        else:
            weights = start.weights_of(drawn)
            self.network.load_state_dict({n: torch.from_numpy(w) for n, w in weights.items()})
        self._begin()

    def _build(self) -> None:
        self.network = build_network(
            self.config,
            self.inputs[0].expression.shape[1],
            n_members=len(self.seeds),
            n_gene_dims=self.n_gene_dims,
            profile=self.profile,
        )

    def _initialise(self, training_sets: Sequence[TrainingSet]) -> None:
        initialise(self.network, [derive_seed(seed, 0) for seed in self.seeds])
        values = [s.connectome[~np.eye(len(s.connectome), dtype=bool)] for s in training_sets]
        means = [float(off_diagonal.mean()) for off_diagonal in values]
        self.network.set_output_mean(torch.tensor(means))
        for member, training in enumerate(training_sets):
            expression = self.input_makers[member].expression.apply(training.regions.expression)
            shown = replace(training, regions=training.regions.with_columns(expression))
            prepare(self.network, member, shown, seed=derive_seed(self.seeds[member], 0, 0))

    def _begin(self) -> None:
        self.network.to(self.device)
        decay = self.config.training.ema_decay
        average = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        self.averaged = AveragedModel(self.network, multi_avg_fn=average) if decay else None
        self.streams = RandomStreams(len(self.seeds), self.device)
        connect_streams(self.network, self.streams)
        self.optimizer = torch.optim.AdamW(
            self.network.parameters(),
            lr=self.config.training.learning_rate,
            weight_decay=self.config.training.weight_decay,
            fused=True,
        )

    @property
    def predictor(self) -> PairNetwork:
        """The network that predicts: with averaged weights, if there are any."""
        if self.averaged is None:
            return self.network
        assert isinstance(self.averaged.module, PairNetwork)
        return self.averaged.module

    def run_epoch(self, number: int, learning_rate: float) -> FloatArray:
        """Train one epoch.

        Parameters
        ----------
        number
            Number of the epoch, from 1.
        learning_rate
            Constant within the epoch.

        Returns
        -------
        (n_members,) array
            Mean squared error over the pairs visited; not finite if a member diverged.
        """
        epoch_seeds = [derive_seed(seed, number) for seed in self.seeds]
        self.streams.seed(epoch_seeds)
        if self.augmenter is not None:
            self.augmenter.begin_epoch(number, epoch_seeds)
        blocks = [
            torch.from_numpy(
                draw_blocks(
                    len(target),
                    n_steps=self.n_steps,
                    block=self.block,
                    rng=np.random.default_rng(seed),
                )
            ).to(self.device)
            for target, seed in zip(self.targets, epoch_seeds, strict=True)
        ]
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        self.network.train()
        losses = [self.step_on([b[step] for b in blocks]) for step in range(self.n_steps)]
        return torch.stack(losses).mean(0).double().cpu().numpy()

    def step_on(self, block: Sequence[Tensor]) -> Tensor:
        """Take one optimiser step on a block of regions per member; return each one's error."""
        targets = torch.stack(
            [target[rows][:, rows] for target, rows in zip(self.targets, block, strict=True)]
        )
        self.optimizer.zero_grad(set_to_none=True)
        loss, mse = self.loss(block, targets)
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        if self.averaged is not None:
            self.averaged.update_parameters(self.network)
        return mse.detach()

    def loss(self, block: Sequence[Tensor], targets: Tensor) -> tuple[Tensor, Tensor]:
        """Return the loss, summed over members, and their mean squared errors, (n_members,).

        The errors are those of all ordered pairs of a member's block.
        """
        expression = torch.stack(
            [i.expression[rows] for i, rows in zip(self.inputs, block, strict=True)]
        )
        coords = torch.stack([i.coords[rows] for i, rows in zip(self.inputs, block, strict=True)])
        counts = None
        if self.augmenter is not None:
            expression, targets, counts = self.augmenter.vary(block, expression, targets)
        with self.profile.autocast():
            predicted = self.network.decode_within(self.network.encode(expression, coords))
        settings, penalties = self.config.training, []
        if weight := settings.symmetric_loss + self.network.symmetry_weight:
            penalties.append(weight * asymmetry(predicted).sum())
        measured = ordered_pairs(targets)
        # half-precision predictions are promoted by the float32 targets
        squares: Tensor = (predicted - measured).square()
        count = None if counts is None else ordered_pairs(counts)
        mse = squares.mean(1) if count is None else (squares * count).sum(1) / count.sum(1)
        loss = mse
        if share := settings.correlation_loss:
            loss = (1 - share) * mse + share * (1 - correlation(predicted, measured, count))
        if (penalty := self.network.penalty()) is not None:
            penalties.append(penalty)
        # a sum over members keeps each member's gradient what it would be alone
        return sum(penalties, loss.sum()), mse

    @property
    def fitted(self) -> NetworkPredictor:
        """Everything that is needed to predict with the present weights."""
        return NetworkPredictor(self.predictor, self.input_makers, self.profile, self.n_gene_dims)

    def predict(self, regions: Sequence[Regions]) -> list[FloatArray]:
        """Predict the connectome among each member's regions; see `NetworkPredictor.predict`."""
        return self.fitted.predict(regions)


def correlation(predicted: Tensor, measured: Tensor, count: Tensor | None = None) -> Tensor:
    """Return each member's Pearson correlation over its pairs, (n_members,); 0 without variance.

    Parameters
    ----------
    predicted, measured
        (n_members, n_pairs).
    count
        (n_members, n_pairs), how often a pair counts; once if None.
    """
    count = torch.ones_like(measured) if count is None else count
    share = count / count.sum(1, keepdim=True)

    def centred(values: Tensor) -> Tensor:
        return values - (share * values).sum(1, keepdim=True)

    one, other = centred(predicted.to(measured.dtype)), centred(measured)
    variances = (share * one.square()).sum(1) * (share * other.square()).sum(1)
    # the root of 0 has no gradient
    return (share * one * other).sum(1) / (variances + VARIANCES_OF_NONE).sqrt()


def ordered_pairs(matrices: Tensor) -> Tensor:
    """Take all pairs i != j of (n_members, n, n), row-major: (n_members, n * (n - 1))."""
    n = matrices.shape[1]
    above = matrices.reshape(-1, n * n)[:, 1:].reshape(-1, n - 1, n + 1)[:, :, :-1]
    return above.reshape(len(above), -1)
