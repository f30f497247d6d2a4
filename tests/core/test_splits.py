"""Exact splits: the parts add up to the change on any input, and each part says what it claims."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from revscore.core.splits import join, path, ratio_split, shapley

counts = st.integers(0, 500)
group = st.tuples(counts, counts, counts, counts).map(lambda t: (min(t[0], t[1]), t[1], min(t[2], t[3]), t[3]))


@settings(max_examples=300, deadline=None)
@given(st.lists(group, max_size=8))
def test_ratio_parts_add_up(rows):
    n0, d0, n1, d1 = np.array(rows, dtype=float).reshape(-1, 4).T
    found = ratio_split([str(k) for k in range(len(rows))], n0, d0, n1, d1)
    assert found.change_top == pytest.approx(n1.sum() - n0.sum())
    assert found.left_over_top == pytest.approx(0, abs=1e-9)
    if d0.sum() and d1.sum():
        assert found.known and found.left_over == pytest.approx(0, abs=1e-12)
        assert found.groups["total"].sum() == pytest.approx(n1.sum() / d1.sum() - n0.sum() / d0.sum(), abs=1e-12)
        never = (d0 == 0) & (d1 == 0)
        assert (found.groups.loc[never, ["mix", "rate", "total"]] == 0).all(axis=None)
        one_sided = (d0 == 0) != (d1 == 0)
        assert (found.groups.loc[one_sided, "rate"] == 0).all()
    else:
        assert not found.known and np.isnan(found.mix)


@settings(max_examples=100, deadline=None)
@given(st.lists(group, min_size=1, max_size=6))
def test_back_is_the_opposite_of_forth(rows):
    n0, d0, n1, d1 = np.array(rows, dtype=float).T
    names = [str(k) for k in range(len(rows))]
    forth, back = ratio_split(names, n0, d0, n1, d1), ratio_split(names, n1, d1, n0, d0)
    np.testing.assert_allclose(forth.groups[["mix", "rate"]], -back.groups[["mix", "rate"]], atol=1e-12)


def test_mix_alone_and_rate_alone():
    mix = ratio_split(["a", "b"], [10, 50], [100, 100], [5, 75], [50, 150])
    assert (mix.before, mix.after) == (0.3, 0.4) and mix.rate == 0 and mix.mix == pytest.approx(0.1) and mix.volume == 0
    rate = ratio_split(["a", "b"], [10, 50], [100, 100], [20, 60], [100, 100])
    assert rate.mix == pytest.approx(0) and rate.rate == pytest.approx(0.1) and rate.rate_top == pytest.approx(20)
    volume = ratio_split(["a", "b"], [10, 50], [100, 100], [20, 100], [200, 200])
    assert volume.volume == 60 and volume.mix == volume.rate == 0


def test_a_group_that_appears_is_mix():
    found = ratio_split(["old", "new"], [30, 0], [100, 0], [30, 90], [100, 100])
    assert found.rate == 0 and found.mix == pytest.approx(0.6 - 0.3)


deal = st.tuples(st.booleans(), st.booleans(), st.booleans(), st.booleans(), st.integers(0, 3), st.integers(0, 1000))


@settings(max_examples=300, deadline=None)
@given(st.lists(deal, max_size=30))
def test_steps_lead_from_one_ratio_to_the_other(deals):
    hit0, in0, hit1, in1, step, amount = np.array(deals, dtype=float).reshape(-1, 6).T
    before, after = (hit0 * in0, in0), (hit1 * in1, in1)
    found = path(before, after, step.astype(int), [(str(k), f"step {k}") for k in range(4)])
    if not found.known:
        assert not in0.sum() or not in1.sum()
        return
    assert found.left_over == pytest.approx(0, abs=1e-12)
    touched = np.concatenate([one.records for one in found.steps]) if found.steps else np.zeros(0, dtype=int)
    assert len(touched) == len(set(touched))
    assert set(touched) == set(np.flatnonzero((before[0] != after[0]) | (before[1] != after[1])))
    weighed = path(after, (after[0] * amount, after[1] * amount), np.zeros(len(deals), dtype=int), [("weight", "by amount")])
    if weighed.known:
        assert join(found, weighed).left_over == pytest.approx(0, abs=1e-12)


def test_what_comes_in_is_taken_before_what_goes_out():
    before, after = (np.array([1.0, 0.0]), np.array([1.0, 0.0])), (np.array([0.0, 0.0]), np.array([0.0, 1.0]))
    found = path(before, after, np.array([0, 1]), [("gone", "gone"), ("come", "come")])
    assert [(step.id, step.effect) for step in found.steps] == [("come", -0.5), ("gone", -0.5)]


def _velocity(inputs):
    return inputs["deals"] * inputs["rate"] * inputs["size"] / inputs["days"] if inputs["days"] > 0 else float("nan")


inputs = st.fixed_dictionaries({"deals": st.integers(0, 400).map(float), "rate": st.floats(0, 1), "size": st.floats(0, 1e6), "days": st.floats(0.5, 400)})


@settings(max_examples=200, deadline=None)
@given(inputs, inputs)
def test_shapley_adds_up_and_knows_no_order(before, after):
    found = shapley(before, after, _velocity)
    change = _velocity(after) - _velocity(before)
    scale = max(_velocity({name: (min if name == "days" else max)(before[name], after[name]) for name in before}), 1.0)  # the largest of the 16 values
    assert sum(found.values()) == pytest.approx(change, abs=1e-9 * scale)
    again = shapley({name: before[name] for name in reversed(before)}, after, _velocity)
    assert {name: pytest.approx(value, abs=1e-9 * scale) for name, value in found.items()} == again


def test_an_input_that_stays_has_no_effect_and_an_unknown_one_no_split():
    before = {"deals": 10.0, "rate": 0.5, "size": 100.0, "days": 10.0}
    found = shapley(before, {**before, "deals": 20.0}, _velocity)
    assert found == pytest.approx({"deals": 50.0, "rate": 0.0, "size": 0.0, "days": 0.0})
    assert all(np.isnan(value) for value in shapley(before, {**before, "days": 0.0}, _velocity).values())
