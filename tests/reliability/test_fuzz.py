"""A thousand files changed at random end in a sentence or a load; the whole run is nightly."""

from __future__ import annotations

import pytest

from tests.reliability.fuzz import control, mutant, run, samples

PART = 125


@pytest.mark.parametrize("part", range(8))
def test_changed_files_end_in_a_sentence_or_a_load(part: int) -> None:
    fates, failures, _ = run(range(part * PART, (part + 1) * PART))
    assert not failures, "\n".join(f"seed {seed}: {text}" for seed, text in failures[:3])
    assert fates.total() == PART and len(fates) >= 3                # some of each: the changes do reach the records


def test_a_seed_brings_the_same_file_again() -> None:
    assert len(samples()) > 60 and all(mutant(seed) == mutant(seed) for seed in range(40))


def test_the_control_plain_readers_fail_or_say_nothing() -> None:
    raised, taken = control(range(60))
    assert raised > 5 and taken > 5
