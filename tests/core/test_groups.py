"""Groups compared: Holm's correction and the test of each against the rest."""

from __future__ import annotations

import numpy as np
import pytest

from revscore.core.groups import against_rest, apart, holm


def test_holm_as_in_the_textbook():
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.9, 0.8])).tolist() == [1.0, 1.0]
    found = holm(np.array([0.02, np.nan]))
    assert found[0] == 0.02 and np.isnan(found[1])


def test_against_the_rest_is_the_score_test():
    p = against_rest(np.array([30.0, 50.0]), np.array([100.0, 100.0]))
    z = 0.2 / np.sqrt(0.4 * 0.6 * 0.02)
    assert p[0] == pytest.approx(p[1]) and p[0] == pytest.approx(0.003892, abs=1e-5) and z > 2.88
    assert np.isnan(against_rest(np.array([3.0]), np.array([9.0]))).all()
    assert np.isnan(against_rest(np.array([0.0, 3.0]), np.array([0.0, 9.0]))).all()
    assert against_rest(np.array([5.0, 9.0]), np.array([5.0, 9.0])).tolist() == [1.0, 1.0]


def test_many_equal_groups_stand_apart_as_seldom_as_one():
    rng = np.random.default_rng(7)
    found = [apart(rng.binomial(80, 0.4, 8), np.full(8, 80)).any() for _ in range(400)]
    assert np.mean(found) < 0.08
