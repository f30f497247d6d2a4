"""A drawing at another size: lengths grow with it, data and colours stay."""

from __future__ import annotations

import pandas as pd
import pytest

from revscore.charts import groups
from revscore.charts.drawing import Drawing
from revscore.charts.scale import scaled


@pytest.fixture
def drawing() -> Drawing:
    return groups.rank(pd.DataFrame({"group": ["a", "b"], "value": [0.1, 0.5], "n": [40.0, 100.0]}), theme="light")


def test_type_marks_and_margins_are_scaled_and_nothing_else(drawing: Drawing) -> None:
    half = scaled(drawing, 0.5)
    assert half.height == round(drawing.height / 2) and half.data is drawing.data
    assert half.spec["config"]["axis"]["labelFontSize"] == drawing.spec["config"]["axis"]["labelFontSize"] / 2
    assert half.spec["config"]["legend"]["symbolSize"] == drawing.spec["config"]["legend"]["symbolSize"] / 4
    texts = [(str(a), str(b)) for a, b in zip(drawing.spec["layer"], half.spec["layer"], strict=True)]
    assert any("width - 190" in a and "width - 95" in b for a, b in texts)
    assert "#1D4ED8" in str(half.spec) and half.spec["config"]["axis"]["labelFontWeight"] == 500


def test_the_spec_of_a_size_is_one_object_and_the_drawing_stays_what_it_was(drawing: Drawing) -> None:
    before = str(drawing.spec)
    assert scaled(drawing, 0.75).spec is scaled(drawing, 0.75).spec and str(drawing.spec) == before
    assert scaled(drawing, 1.0) is drawing
