"""Control charts, relative lift and the χ² tail: by hand and at their edges. METRICS X4 to X6."""

from __future__ import annotations

import math

import numpy as np
import pytest

from revscore.core.control import p_chart, xmr
from revscore.core.statistics import chi_square_tail, relative_lift, sample_ratio


def test_a_run_is_told_once_at_its_eighth_point_and_points_on_the_line_are_passed_over() -> None:
    values = np.array([10, 12] * 6 + [13.0] * 3 + [11.0] + [13.0] * 9)
    chart = xmr(values)
    assert chart.centre == 11
    # the last point of the baseline (12) is above already; the point on the line (11) neither counts nor breaks
    assert chart.runs() == ((19, "above"),)


def test_nothing_outside_is_no_signal_and_the_limits_themselves_are_inside() -> None:
    values = np.array([10, 12] * 6, dtype=float)
    chart = xmr(np.append(values, [11 + 2.66 * 2, 11 - 2.66 * 2]))
    assert chart.outside() == ()
    assert xmr(np.append(values, 16.33)).outside() == (12,)


def test_a_week_without_anything_has_no_rate_and_no_limits() -> None:
    chart = p_chart(np.array([5, 0, 6]), np.array([10, 0, 10]))
    assert np.isnan(chart.values[1]) and np.isnan(chart.lower[1]) and chart.signals == ()
    assert chart.centre == 11 / 20


def test_limits_of_rates_are_clipped_and_marked_where_few_are_expected() -> None:
    chart = p_chart(np.array([9] * 12 + [10]), np.array([10] * 13))
    assert (chart.upper == 1).all() and chart.approximate.all() and chart.outside() == ()


def test_a_perfect_baseline_has_no_room() -> None:
    chart = p_chart(np.array([20] * 12 + [19]), np.array([20] * 13))
    assert chart.outside() == (12,) and chart.signals[0].side == "below"


def test_laney_takes_the_spread_that_the_baseline_shows() -> None:
    rng = np.random.default_rng(3)
    n = np.full(30, 100_000)
    x = np.round(n * (0.2 + rng.normal(0, 0.01, 30)))
    large = p_chart(x, n)
    assert large.outside() == () and large.widened > 3
    z = (x / n - large.centre) / np.sqrt(large.centre * (1 - large.centre) / n)
    assert large.widened == pytest.approx(np.abs(np.diff(z[:12])).mean() / 1.128)


def test_limits_are_those_of_chance_below_a_thousand_records_a_point_and_never_narrower() -> None:
    rng = np.random.default_rng(3)
    shares = 0.5 + rng.normal(0, 0.1, 30)
    for size, wide in ((999, False), (1000, True)):
        n = np.full(30, size)
        assert (p_chart(np.round(n * shares), n).widened > 1) is wide
    n = np.full(30, 10_000)
    even = p_chart(n * 0.5, n)
    assert even.widened == 1 and even.upper[0] == pytest.approx(0.5 + 3 * 0.005)


@pytest.mark.parametrize("empty", [p_chart(np.zeros(0), np.zeros(0)), xmr(np.zeros(0)), xmr(np.array([3.0]))])
def test_nothing_gives_no_signal(empty) -> None:
    assert empty.signals == () and (np.isnan(empty.centre) or empty.centre == 3)


@pytest.mark.parametrize("x, df, tail", [(3.841458820694124, 1, 0.05), (5.991464547107979, 2, 0.05), (7.814727903251179, 3, 0.05), (18.307038053275146, 10, 0.05),
                                         (0, 5, 1.0), (12.857142857142858, 1, 0.00033619350474802537), (2000, 7, 0.0)])
def test_the_tail_of_chi_square(x: float, df: int, tail: float) -> None:
    assert chi_square_tail(x, df) == pytest.approx(tail, rel=1e-9, abs=1e-300)


def test_arms_without_hits_have_no_relative_lift() -> None:
    assert all(math.isnan(v) for v in relative_lift(0, 10, 3, 10))
    lift, low, high = relative_lift(5, 10, 0, 10)
    assert lift == -1 and math.isnan(low) and math.isnan(high)
    assert math.isnan(sample_ratio(np.array([10.0]), np.array([1.0]))[0])
