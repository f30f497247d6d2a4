"""Compare answers with expected ones, leaf by leaf: counts, ids, labels and times exactly, rates, days and minutes within 1e-6, amounts within 0.01."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_MONEY = re.compile(
    r"(^|/)(value|base_value|slipped_value|won_value|lost_value|open_start|open_end|check_sum|corporate_rate|dated_rate|fx_effect|target|won_to_date|remaining"
    r"|open_in_period|open_not_overdue|opening_arr|closing_arr|net_expansion|net_contraction|churn|gross_\w+|new_logo_arr_in_period|total|by_campaign(_not_additive)?/.*"
    r"|influenced_total_counted_once|population_total|cost|cost_per_\w+|pipeline_(sourced|attributed_w|influenced)|won_attributed_full_path|value_by_segment/.*"
    r"|pulled_in_from_later|slipped_in_from_earlier|expected_to_date|projected|required_per_business_day|avg_deal|per_day|per_day_median_cycle)$|^deal_size/")


def leaves(node: Any, path: str) -> Iterator[tuple[str, Any]]:
    """(path, value) of every leaf; a list of ids is one leaf, sorted; an empty list or map is a leaf."""
    if isinstance(node, Mapping) and node:
        for key, value in node.items():
            yield from leaves(value, f"{path}/{key}")
    elif isinstance(node, list) and node and all(isinstance(item, str) for item in node):
        yield path, sorted(node)
    elif isinstance(node, list) and node:
        for place, value in enumerate(node):
            yield from leaves(value, f"{path}/[{place}]")
    else:
        yield path, node


def same(expected: Any, actual: Any, path: str) -> bool:
    if isinstance(expected, bool) or isinstance(actual, bool) or not isinstance(expected, (int, float)) or not isinstance(actual, (int, float)):
        return expected == actual or (not expected and not actual and isinstance(expected, (list, Mapping)) and isinstance(actual, (list, Mapping)))
    if isinstance(expected, int) and isinstance(actual, int) and not _MONEY.search(path):
        return expected == actual
    return abs(expected - actual) <= (0.01 if _MONEY.search(path) else 1e-6)


def differences(expected: Any, actual: Any, path: str) -> list[str]:
    """One sentence per leaf that is missing, different, or too many."""
    want, have = dict(leaves(expected, path)), dict(leaves(actual, path))
    wrong = [f"{place}: expected {want[place]!r}, got {have[place]!r}" for place in want if place in have and not same(want[place], have[place], place)]
    # an empty map on one side and leaves below it on the other show up here too
    wrong += [f"{place}: missing (expected {want[place]!r})" for place in want if place not in have and want[place] not in ({}, [])]
    return wrong + [f"{place}: not expected ({have[place]!r})" for place in have if place not in want and have[place] not in ({}, [])]
