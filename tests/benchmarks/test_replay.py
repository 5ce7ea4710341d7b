"""Passes and choices as computed by hand, and as the search that sweeps run makes them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from planted_curves import MAX_PASSES, late_bloomer, random_curves, ranked_curves

from benchmarks.asynchronous import (
    asha_promotion,
    asha_stopping,
    median_stopping,
    train_asynchronously,
)
from benchmarks.curves import NO_SCORE, Curves, Pool
from benchmarks.halving import bracket_sizes, halve, hyperband
from benchmarks.pasha import ProgressiveLadder, noise_of, pasha
from benchmarks.replay import draw_searches, judge, replay, replay_fold_search
from sweeps.search.rungs import RungRule

ASCENDING, DESCENDING = [0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0]
RUNGS = (1, 3)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


class TestCurves:
    def test_a_config_ends_after_patience_passes_without_a_better_score(self):
        flat_from_3 = [1.0, 2.0, 3.0, 3.0, 3.0, 3.0]
        better_at_5 = [1.0, 0.0, 0.0, 0.0, 2.0, 2.0]
        curves = Curves(np.array([flat_from_3, better_at_5]), np.ones(2))
        assert curves.ends.tolist() == [6, 6]
        assert curves.with_patience(2).ends.tolist() == [5, 3]
        assert curves.with_patience(3).ends.tolist() == [6, 4]
        assert curves.with_patience(4).ends.tolist() == [6, 6]

    def test_a_diverged_config_ends_there_and_keeps_its_best_before(self):
        curves = Curves(np.array([[1.0, NO_SCORE, NO_SCORE], [0.0, 0.0, 1.0]]), np.ones(2))
        assert curves.ends.tolist() == [2, 3]
        assert curves.diverged.tolist() == [True, False]
        assert curves.best[0].tolist() == [1.0, 1.0, 1.0]

    def test_patience_may_end_a_config_before_it_diverges(self):
        curves = Curves(np.array([[1.0, 0.0, 0.0, NO_SCORE]]), np.ones(1))
        assert curves.diverged.tolist() == [True]
        assert curves.with_patience(2).diverged.tolist() == [False]


class TestHalving:
    @pytest.mark.parametrize(
        ("rule", "trained"),
        [
            pytest.param(RungRule((), 0), [9, 9, 9, 9, 9, 9], id="everything"),
            pytest.param(RungRule((1,), 0, keep=1), [1, 1, 1, 1, 1, 9], id="one-epoch-1"),
            pytest.param(RungRule((1,), 0, keep=3), [1, 1, 1, 9, 9, 9], id="one-epoch-3"),
            pytest.param(RungRule(RUNGS, 0, eta=3), [1, 1, 1, 1, 3, 9], id="asha"),
            pytest.param(RungRule(RUNGS, 0, eta=2), [1, 1, 1, 3, 3, 9], id="asha-eta-2"),
            # 2 beats 0 and 1 and is alone at its rungs; of six at pass 1, two go on, and at
            # pass 3, where 2 has been as well, one of three
            pytest.param(RungRule(RUNGS, 3, eta=3), [1, 1, 9, 1, 3, 9], id="asha-batches"),
        ],
    )
    def test_trains_what_was_computed_by_hand(self, rule, trained):
        curves = ranked_curves(ASCENDING)
        assert halve(curves, rule).tolist() == trained
        outcome = judge(curves, halve(curves, rule))
        assert (outcome.chosen, outcome.passes) == (5, sum(trained))
        assert outcome.share == sum(trained) / (6 * MAX_PASSES)
        assert outcome.regret == outcome.regret_as_stopped == 0.0

    def test_a_late_bloomer_is_missed_by_one_epoch_and_costs_the_difference(self):
        curves = late_bloomer()
        outcome = judge(curves, halve(curves, RungRule((1,), 0, keep=3)))
        assert outcome.chosen == 5
        assert outcome.regret == pytest.approx(7.0 - 5.08)
        assert judge(curves, halve(curves, RungRule((4,), 0, keep=3))).regret == 0.0

    def test_configs_that_ended_by_themselves_compete_at_later_rungs(self):
        curves = ranked_curves(DESCENDING)
        scores = curves.scores.copy()
        scores[0, 1:] = scores[0, 0]
        curves = Curves(scores, curves.seconds, patience=2)
        # 0 ends at pass 3 with the best score of that rung: 1 came there too and must stop
        assert halve(curves, RungRule(RUNGS, 0, eta=3)).tolist() == [3, 3, 1, 1, 1, 1]

    def test_early_stopping_may_cost_the_chosen_config_its_later_score(self):
        scores = np.array([[3.0, 2.0, 2.0, 2.0, 5.0], [0.0, 1.0, 1.0, 1.0, 1.0]])
        curves = Curves(scores, np.ones(2), patience=2)
        outcome = judge(curves, halve(curves, RungRule((), 0)))
        assert (outcome.chosen, outcome.regret, outcome.regret_as_stopped) == (0, 0.0, 2.0)
        assert outcome.share == (3 + 4) / 10

    def test_a_diverged_config_is_never_chosen(self):
        scores = np.array([[9.0, NO_SCORE], [1.0, 2.0]])
        curves = Curves(scores, np.ones(2))
        outcome = judge(curves, halve(curves, RungRule((), 0)))
        assert (outcome.chosen, outcome.regret) == (1, 0.0)

    def test_a_search_without_a_fully_trained_config_is_refused(self):
        with pytest.raises(ValueError, match="of 6 configs none is fully trained"):
            judge(ranked_curves(ASCENDING), np.ones(6, dtype=int))

    def test_hyperband_splits_in_proportion_and_halves_each_bracket(self):
        # 3/3 * 9 : 3/2 * 3 : 3/1 * 1
        assert bracket_sizes(33, 3, 3).tolist() == [18, 9, 6]
        curves = ranked_curves(range(11))
        # [0..5] from pass 1, [6..8] from pass 3, [9, 10] to the end
        trained = [1, 1, 1, 1, 3, 9, 3, 3, 9, 9, 9]
        assert hyperband(curves, grace_passes=1, eta=3).tolist() == trained


class TestAgainstFoldSearch:
    RULES = [
        RungRule(milestones, batch_size, eta=eta, keep=keep)
        for milestones, batch_size, (eta, keep) in itertools.product(
            [(), (1,), (2, 6), (3, 6, 12)], [0, 1, 4, 8], [(2, 0), (3, 0), (4, 0), (3, 2)]
        )
    ]

    @pytest.mark.parametrize("patience", [0, 4])
    @pytest.mark.parametrize("seed", range(4))
    def test_the_search_of_sweeps_trains_and_chooses_the_same(self, patience, seed):
        curves = random_curves(20, n_passes=14, patience=patience, seed=seed)
        for rule in self.RULES:
            records = replay_fold_search(curves, rule, rng(seed))
            trained = halve(curves, rule)
            assert [len(r.curve) for r in records] == trained.tolist(), rule
            complete = [r for r in records if r.state == "COMPLETE"]
            chosen = max(complete, key=lambda r: (r.score, -r.number)).number
            assert judge(curves, trained).chosen == chosen, rule


class TestAsynchronous:
    @pytest.mark.parametrize(
        ("order", "trained"),
        [
            # each is at least as good as all before it
            pytest.param(ASCENDING, [9, 9, 9, 9, 9, 9], id="ascending"),
            pytest.param(DESCENDING, [9, 1, 1, 1, 1, 1], id="descending"),
            # medians before it at pass 1: 2, 3.5, 2, 2.5, 3; at pass 3: 2, 3.5, 3
            pytest.param([2, 5, 1, 3, 4, 0], [9, 9, 1, 3, 9, 1], id="mixed"),
        ],
    )
    def test_stopping_on_one_worker(self, order, trained):
        found = asha_stopping(ranked_curves(order), rng(), rungs=RUNGS, eta=2, n_workers=1)
        assert found.tolist() == trained

    @pytest.mark.parametrize(
        ("order", "trained"),
        [
            # 2, 3, 4, 5 lead their rung when they arrive; at pass 3 there are 3, then 4: 4 and 5
            pytest.param(ASCENDING, [1, 1, 3, 3, 9, 9], id="ascending"),
            # 0, then 1; two at pass 3 promote none, so the best of them ends the search
            pytest.param(DESCENDING, [9, 3, 1, 1, 1, 1], id="descending"),
        ],
    )
    def test_promotion_on_one_worker(self, order, trained):
        found = asha_promotion(ranked_curves(order), rng(), rungs=RUNGS, eta=3, n_workers=1)
        assert found.tolist() == trained

    @pytest.mark.parametrize(
        ("order", "trained"),
        [
            # as promotion, but three passes say what one said: only the best is trained on
            pytest.param(ASCENDING, [1, 1, 3, 3, 3, 9], id="ascending"),
            pytest.param(DESCENDING, [9, 3, 1, 1, 1, 1], id="descending"),
        ],
    )
    def test_pasha_trains_no_further_while_the_order_stays(self, order, trained):
        found = pasha(ranked_curves(order), rng(), rungs=RUNGS, eta=3, n_workers=1)
        assert found.tolist() == trained

    @pytest.mark.parametrize("n_workers", [1, 3])
    def test_pasha_trains_as_promotion_does_once_the_order_changes(self, n_workers):
        curves = ranked_curves(range(18))
        scores = curves.scores.copy()
        scores[:, 2:] = 20 - scores[:, 2:]  # the other way round from pass 3 on
        curves = Curves(scores, curves.seconds)
        found, whole = (
            schedule(curves, rng(), rungs=RUNGS, eta=3, n_workers=n_workers)
            for schedule in (pasha, asha_promotion)
        )
        assert found.tolist() == whole.tolist()
        assert sorted(found)[-2:] == [9, 9]

    def test_pasha_knows_noise(self):
        steady, wavy = np.zeros(5), np.array([1.0, -1.0, 1.0, -1.0, 0.25])
        assert noise_of([steady, wavy]) == 0.25
        assert noise_of([steady, wavy[:4]]) == 1.0
        once = np.array([1.0, 1.0, -1.0, -1.0])
        assert noise_of([steady, once]) == 0.0
        diverged = np.array([1.0, -1.0, 0.5, NO_SCORE])
        assert noise_of([steady, diverged, diverged]) == 0.5
        # scores that are no further apart have no order
        scores = np.tile(np.array([[0.0], [0.1], [0.2]]), (1, MAX_PASSES))
        scores[:, 2:] = scores[::-1, 2:]
        waves = np.outer([0.5, 0.0, -0.5], np.arange(MAX_PASSES) % 2)
        noisy, quiet = (Curves(s, np.ones(3)) for s in (scores + waves, scores))
        for curves, top in ((noisy, 1), (quiet, 2)):
            ladder = ProgressiveLadder(curves, (2, 4, MAX_PASSES), 1)
            for rung in (0, 1):
                for number in range(3):
                    ladder.arrive(number, rung)
            assert ladder.top == top

    @pytest.mark.parametrize(
        ("order", "trained"),
        [
            pytest.param(ASCENDING, [9, 9, 9, 9, 9, 9], id="ascending"),
            # three others are needed before the rule speaks
            pytest.param(DESCENDING, [9, 9, 9, 3, 3, 3], id="descending"),
        ],
    )
    def test_median_on_one_worker(self, order, trained):
        found = median_stopping(ranked_curves(order), rng(), grace_passes=3, n_workers=1)
        assert found.tolist() == trained

    def test_workers_share_the_configs_in_the_time_that_passes_take(self):
        curves = Curves(np.tile(np.arange(4.0), (5, 1)), np.array([100.0, 1, 1, 1, 1]))
        asked: list[tuple[int, int]] = []

        def goes_on(number: int, passes: int) -> bool:
            asked.append((number, passes))
            return True

        trained = train_asynchronously(curves, goes_on, rungs=(2,), n_workers=2, rng=rng())
        # the slow first config arrives when the other worker has trained all the rest
        assert asked == [(1, 2), (2, 2), (3, 2), (4, 2), (0, 2)]
        assert trained.tolist() == [4, 4, 4, 4, 4]

    @pytest.mark.parametrize("seed", range(3))
    def test_stopping_decides_as_ray_tune_does(self, seed):
        from ray.tune.schedulers import ASHAScheduler

        curves = random_curves(24, n_passes=27, patience=6, seed=seed)
        scheduler = ASHAScheduler(
            time_attr="passes",
            metric="score",
            mode="max",
            grace_period=2,
            max_t=27,
            reduction_factor=3,
        )
        trials = [_TrialName(str(number)) for number in range(len(curves))]
        for trial in trials:
            scheduler.on_trial_add(None, trial)

        def goes_on(number: int, passes: int) -> bool:
            result = {"passes": passes, "score": curves.best[number, passes - 1]}
            return scheduler.on_trial_result(None, trials[number], result) == "CONTINUE"

        rungs = (2, 6, 18)
        by_ray = train_asynchronously(curves, goes_on, rungs=rungs, n_workers=3, rng=rng(seed))
        ours = asha_stopping(curves, rng(seed), rungs=rungs, eta=3, n_workers=3)
        assert by_ray.tolist() == ours.tolist()
        assert len(set(ours.tolist())) > 3


class _TrialName:
    def __init__(self, trial_id: str) -> None:
        self.trial_id = trial_id


class TestDraws:
    POOL = Pool("planted", random_curves(20, n_passes=9, patience=4, seed=3), seed_sd=1.0)

    def test_a_search_repeats_no_config(self):
        search = draw_searches(self.POOL, n_configs=20, n_searches=1, seed=0)[0]
        assert search.patience == 4
        assert sorted(search.seconds) == sorted(self.POOL.curves.seconds)

    def test_equal_seeds_give_equal_outcomes(self):
        def stop(curves, generator):
            return asha_stopping(curves, generator, rungs=RUNGS, eta=2, n_workers=4)

        searches = [
            draw_searches(self.POOL, n_configs=10, n_searches=20, seed=seed) for seed in (1, 1, 2)
        ]
        first, again, other = (replay(s, stop, seed=5) for s in searches)
        assert first == again
        assert first != other
