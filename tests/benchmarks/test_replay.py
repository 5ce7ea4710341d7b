"""Epochs and choices as computed by hand, and as the search that sweeps run makes them."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from planted_curves import MAX_EPOCHS, late_bloomer, random_curves, ranked_curves
from replayed_search import replay_fold_search

from benchmarks.replay import NO_SCORE, Curves, halve, judge, load_pools
from benchmarks.schedulers import asha_rule, draw_searches
from sweeps.search.rungs import RungRule

ASCENDING, DESCENDING = [0, 1, 2, 3, 4, 5], [5, 4, 3, 2, 1, 0]
RUNGS = (1, 3)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


class TestCurves:
    def test_a_config_ends_after_patience_epochs_without_a_better_score(self):
        flat_from_3 = [1.0, 2.0, 3.0, 3.0, 3.0, 3.0]
        better_at_5 = [1.0, 0.0, 0.0, 0.0, 2.0, 2.0]
        curves = Curves(np.array([flat_from_3, better_at_5]))
        assert curves.ends.tolist() == [6, 6]
        assert curves.with_patience(2).ends.tolist() == [5, 3]
        assert curves.with_patience(3).ends.tolist() == [6, 4]
        assert curves.with_patience(4).ends.tolist() == [6, 6]

    def test_a_diverged_config_ends_there_and_keeps_its_best_before(self):
        curves = Curves(np.array([[1.0, NO_SCORE, NO_SCORE], [0.0, 0.0, 1.0]]))
        assert curves.ends.tolist() == [2, 3]
        assert curves.diverged.tolist() == [True, False]
        assert curves.best[0].tolist() == [1.0, 1.0, 1.0]

    def test_patience_may_end_a_config_before_it_diverges(self):
        curves = Curves(np.array([[1.0, 0.0, 0.0, NO_SCORE]]))
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
            # 2 beats 0 and 1 and is alone at its rungs; of six at epoch 1, two go on, and at
            # epoch 3, where 2 has been as well, one of three
            pytest.param(RungRule(RUNGS, 3, eta=3), [1, 1, 9, 1, 3, 9], id="asha-batches"),
        ],
    )
    def test_trains_what_was_computed_by_hand(self, rule, trained):
        curves = ranked_curves(ASCENDING)
        assert halve(curves, rule).tolist() == trained
        outcome = judge(curves, halve(curves, rule))
        assert (outcome.chosen, outcome.epochs) == (5, sum(trained))
        assert outcome.share == sum(trained) / (6 * MAX_EPOCHS)
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
        curves = Curves(scores, patience=2)
        # 0 ends at epoch 3 with the best score of that rung: 1 came there too and must stop
        assert halve(curves, RungRule(RUNGS, 0, eta=3)).tolist() == [3, 3, 1, 1, 1, 1]

    def test_early_stopping_may_cost_the_chosen_config_its_later_score(self):
        scores = np.array([[3.0, 2.0, 2.0, 2.0, 5.0], [0.0, 1.0, 1.0, 1.0, 1.0]])
        curves = Curves(scores, patience=2)
        outcome = judge(curves, halve(curves, RungRule((), 0)))
        assert (outcome.chosen, outcome.regret, outcome.regret_as_stopped) == (0, 0.0, 2.0)
        assert outcome.share == (3 + 4) / 10

    def test_a_diverged_config_is_never_chosen(self):
        scores = np.array([[9.0, NO_SCORE], [1.0, 2.0]])
        curves = Curves(scores)
        outcome = judge(curves, halve(curves, RungRule((), 0)))
        assert (outcome.chosen, outcome.regret) == (1, 0.0)

    def test_a_search_without_a_fully_trained_config_is_refused(self):
        with pytest.raises(ValueError, match="of 6 configs none is fully trained"):
            judge(ranked_curves(ASCENDING), np.ones(6, dtype=int))


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
        curves = random_curves(20, n_epochs=14, patience=patience, seed=seed)
        for rule in self.RULES:
            records = replay_fold_search(curves, rule, rng(seed))
            trained = halve(curves, rule)
            assert [len(r.curve) for r in records] == trained.tolist(), rule
            complete = [r for r in records if r.state == "COMPLETE"]
            chosen = max(complete, key=lambda r: (r.score, -r.number)).number
            assert judge(curves, trained).chosen == chosen, rule

    def test_recorded_curves_train_the_same_epochs_as_a_sweep(self):
        for number, pool in enumerate(load_pools().values()):
            for whole in draw_searches(pool, n_searches=2, seed=number):
                curves = whole.with_patience(whole.max_epochs // 3)
                rule = asha_rule(curves.max_epochs)
                records = replay_fold_search(curves, rule, rng(number))
                assert [len(r.curve) for r in records] == halve(curves, rule).tolist()
