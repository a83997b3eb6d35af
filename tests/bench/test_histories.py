"""Random histories keep every rule; `make simulate` plays thousands of them."""

import pytest

from bench.simulate.__main__ import describe
from bench.simulate.histories import play

EACH = 20


@pytest.mark.parametrize("first", range(0, 160, EACH))
def test_no_rule_is_broken_in_a_random_history(first):
    broken = [history for history in map(play, range(first, first + EACH)) if history.breaches]
    assert not broken, describe(broken[0])


def test_the_same_seed_is_the_same_history():
    one, other = play(7), play(7)
    assert [line.split(" (request ")[0] for line in one.journal] == [
        line.split(" (request ")[0] for line in other.journal
    ]
    assert (one.operations, one.writes) == (other.operations, other.writes)
