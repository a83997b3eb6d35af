"""What is stored comes back as it was, and survives an upgrade."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from failover.codec import decode, encode
from failover.model import Baseline, Bounds, Goal, Memory, Policy, Progress, Request, Snapshot
from tests.failover.world import Run, World, on_ecs

KEYS = ["at", "alarms", "value", "memory", "baseline", "desired", "marks", "goal", "override", "step_seconds", "left"]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=8,
)


def through_json(value):
    return json.loads(json.dumps(encode(value)))


def test_a_snapshot_comes_back_as_it_was():
    world = on_ecs(World(bounds=Bounds(0, 4)))
    world.pass_time(10)
    snapshot = world.observe()
    assert decode(Snapshot, through_json(snapshot)) == snapshot


def test_progress_of_a_running_operation_comes_back_as_it_was():
    run = Run(World(), Request(Goal.FAILOVER), memory=Memory(Baseline(1, Bounds(0, 4))))
    for _ in range(12):
        run.world.pass_time(run.step().decision.wait)
    assert run.journal.progress.allowed
    assert decode(Progress, through_json(run.journal.progress)) == run.journal.progress


def test_keys_of_another_version_are_ignored_or_default():
    assert decode(Progress, {"phase": "healthy", "something_new": 1}) == Progress(phase="healthy")


def test_policies_with_whole_numbers_for_seconds_come_back():
    policy = Policy(step_seconds=5, drain_seconds=0.5)
    assert decode(Policy, through_json(policy)) == policy


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (Progress, None),
        (Progress, []),
        (Progress, "phase"),
        (Progress, {"phase": None}),
        (Progress, {"wanted": True}),
        (Progress, {"wanted": "2"}),
        (Progress, {"wanted": 2.0}),
        (Progress, {"phase_since": False}),
        (Progress, {"phase_since": 10**400}),
        (Progress, {"phase_since": float("nan")}),
        (Progress, {"marks": "ab"}),
        (Progress, {"marks": [["shifting"]]}),
        (Progress, {"allowed": {"a": []}}),
        (Progress, {"origin": {"lambda_": "1", "ecs": 0}}),
        (Memory, {"failover_automatic": 1}),
        (Memory, {"baseline": {}}),
        (Request, {"goal": ["failover"]}),
        (Request, {"goal": "failover", "override": "all"}),
        (Snapshot, {"at": 1.0, "metrics": {"value": {"period": 60, "series": []}}}),
        (Snapshot, {"at": 1.0, "alarms": {"value": [{"name": "busy", "state": "BUSY", "since": 1.0}]}}),
    ],
)
def test_what_encode_never_wrote_is_an_error_of_three_kinds(kind, data):
    with pytest.raises((TypeError, ValueError, KeyError)):
        decode(kind, data)


@given(json_values)
def test_whatever_is_decoded_raises_nothing_else(data):
    for kind in (Progress, Snapshot, Memory, Policy, Request):
        try:
            decode(kind, data)
        except (TypeError, ValueError, KeyError):
            continue
