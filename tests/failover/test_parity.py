"""Whether both pools have the same code: what is said of it, and when it can't be told."""

from dataclasses import replace

import pytest

from failover.model import Code, Part, Reading, Snapshot, Split, Versions
from failover.parity import Parity, judged
from tests.failover.world import LISTENER, RULE, World

ONE, OTHER = "sha256:" + "1" * 64, "sha256:" + "2" * 64


def between(function: Code, task: Code, split: Split = Split(100, 0)) -> Parity:  # noqa: B008 - frozen
    splits = {LISTENER: split, RULE: split}
    return judged(World(splits=splits, versions=Versions(function, task)).observe())


def test_the_same_tag_or_the_same_image_is_the_same_code():
    assert between(Code(version="1.4"), Code(version="1.4")) == Parity(
        same=True, sentence="Both pools have version 1.4."
    )
    pinned = between(Code(ONE, version="1.4"), Code(ONE))
    assert (pinned.same, pinned.sentence) == (True, "Both pools have version 1.4 (image sha256:111111111111).")


def test_an_image_says_more_than_a_tag():
    found = between(Code(ONE, version="1.4"), Code(OTHER, version="1.4"))
    assert found.same is False
    assert "version 1.4 (image sha256:111111111111), ECS would run version 1.4 (image sha256:222222222222)." in (
        found.sentence
    )


@pytest.mark.parametrize(
    ("split", "sentence"),
    [
        (Split(100, 0), "Lambda runs version 1.4, ECS would run version 1.3."),
        (Split(50, 50), "Lambda runs version 1.4, ECS runs version 1.3."),
        (Split(0, 100), "ECS runs version 1.3, Lambda would run version 1.4."),
    ],
)
def test_other_code_is_named_as_traffic_meets_it(split, sentence):
    assert between(Code(version="1.4"), Code(version="1.3"), split) == Parity(same=False, sentence=sentence)


@pytest.mark.parametrize(
    ("function", "task"),
    [
        (Code(), Code()),
        (Code(version="1.4"), Code()),
        (Code(ONE), Code(version="1.4")),
        (Code(version="1.4"), Code(ONE)),
    ],
)
def test_where_nothing_can_be_compared_it_says_what_to_tag(function, task):
    found = between(function, task)
    assert found.same is None
    assert "tag the function and the task definition with `version`" in found.sentence


def test_tags_that_can_not_be_read_are_no_missing_tags():
    found = between(Code(problem="The tags can't be read."), Code(version="1.4"))
    assert found == Parity(None, "Whether both pools have the same code can't be told: The tags can't be read.")


def test_what_could_not_be_read_is_said_and_what_was_not_asked_is_not():
    assert judged(World(unreadable={Part.VERSIONS}).observe()).sentence.endswith("is unknown: AWS is away")
    assert judged(replace(World().observe(), versions=Reading())) == Parity(None, "")
    assert judged(Snapshot(0.0)) == Parity(None, "")
