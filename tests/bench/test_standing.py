"""From an event to the weights: what the lab's record of its calls says about it."""

import tomllib

import pytest

from bench import aws_script, standing
from bench.aws_script import NoAwsError
from bench.standing import Moved, find_move
from lab.worldfile import load


def record(*trips, writes=()):
    """Round trips as (at, seconds); writes as (at, action, ok)."""
    return {
        "round_trips": [{"at": at, "seconds": seconds} for at, seconds in trips],
        "writes": [{"at": at, "service": "elbv2", "action": action, "ok": ok} for at, action, ok in writes],
    }


def test_a_move_is_counted_from_the_event_to_the_return_of_the_write():
    trips = [(99.0, 4.0), (100.5, 0.25), (101.0, 0.25), (102.0, 0.5), (103.0, 0.25)]
    found = find_move(record(*trips, writes=[(102.0, "ModifyListener", True)]), since=100.0)
    assert found == Moved(seconds=2.5, calls=3, round_trips=1.0)


@pytest.mark.parametrize(
    ("writes", "trips"),
    [
        ([], [(102.0, 0.5)]),
        ([(102.0, "UpdateService", True)], [(102.0, 0.5)]),
        ([(102.0, "ModifyListener", False)], [(102.0, 0.5)]),
        ([(99.0, "ModifyListener", True)], [(99.0, 0.5)]),
        ([(102.0, "ModifyListener", True)], [(101.0, 0.5)]),
    ],
    ids=["nothing written", "another write", "a refused write", "before the event", "not returned yet"],
)
def test_there_is_no_move_until_weights_were_written_and_that_returned(writes, trips):
    assert find_move(record(*trips, writes=writes), since=100.0) is None


def test_its_world_is_one_that_the_lab_takes_with_a_standing_task_and_an_alarm_for_each(tmp_path):
    text = standing.world(["api-00", "api-01"])
    (tmp_path / "world.toml").write_text(text)
    load(tmp_path / "world.toml")
    applications = tomllib.loads(text)["applications"]
    assert [each["task"]["desired_count"] for each in applications.values()] == [1, 1]
    assert [each["alarms"][0]["name"] for each in applications.values()] == ["api-00-throttles", "api-01-throttles"]


def test_without_an_aws_command_line_a_sentence_says_so(tmp_path):
    with pytest.raises(NoAwsError, match="no script of aws commands is measured"):
        aws_script.installed(tmp_path, "./there-is-no-such-package.whl")
    assert list(tmp_path.glob("*")) == []
