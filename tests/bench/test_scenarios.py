"""Every shipped scenario ends as its file says, with the controller running alone as its Lambda function does."""

import pytest

from bench.simulate.play import play
from lab.scenario import NAMES, shipped


@pytest.mark.parametrize("name", NAMES)
def test_it_ends_as_its_file_says(name):
    played = play(shipped(name))
    broken = [f"{each.name}: {each.seen}" for each in played.findings if not each.holds]
    assert not broken, "\n".join([*broken, *(f"{m.what}: {m.detail}" for m in played.director.told), *played.told])
