"""What is stored comes back as it was, and survives an upgrade."""

import json

from failover.codec import decode, encode
from failover.model import Baseline, Bounds, Goal, Memory, Progress, Request, Snapshot
from tests.failover.world import Run, World, on_ecs


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
