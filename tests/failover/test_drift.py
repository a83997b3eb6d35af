"""What differs from what was left is told; what an operation is changing, or what can't be read, is not."""

from dataclasses import replace

import pytest

from failover import drift
from failover.model import Bounds, Memory, Part, Reading, RouteState, Scaling, Split
from tests.failover.world import LISTENER, RULE, World, application

ON_ECS = Split(0, 100)


def told(snapshot, memory=Memory(), *, active=False):  # noqa: B008 - frozen
    return drift.found(application(), snapshot, memory, active=active)


def left(**splits: Split) -> Memory:
    return Memory(left=tuple(splits.items()), left_at=1.0)


def test_nothing_differs_in_a_world_at_rest():
    assert told(World().observe()) == ()


def test_weights_that_somebody_else_set_are_named_as_they_are_and_as_they_were_left():
    world = World(splits={LISTENER: Split(60, 40), RULE: ON_ECS})
    memory = Memory(left=((LISTENER, ON_ECS), (RULE, ON_ECS)), left_at=1.0)
    [sentence] = told(world.observe(), memory)
    assert "shows 60/40" in sentence
    assert "left at 0/100" in sentence
    assert told(world.observe(), memory, active=True) == ()


def test_routes_that_differ_are_drift_whoever_wrote_them():
    [sentence] = told(World(splits={LISTENER: Split(100, 0), RULE: ON_ECS}).observe())
    assert "100/0" in sentence
    assert "0/100" in sentence


@pytest.mark.parametrize(
    ("now", "says"), [(Bounds(2, 5), ""), (Bounds(1, 4), "1 to 4 tasks, and were left at 2 to 5"), (None, "are gone")]
)
def test_bounds_that_are_no_longer_ours(now, says):
    seen = replace(World().observe(), scaling=Reading.of(Scaling(now), 1_000_000.0))
    sentences = told(seen, Memory(bounds_written=Bounds(2, 5)))
    assert says in "".join(sentences)
    assert bool(sentences) == bool(says)


def test_others_that_forward_to_our_groups_and_routes_that_are_gone():
    seen = World().observe()
    routes = replace(
        seen.routes.value,
        managed=(RouteState(RULE, "HTTP :80, /api", None, "", problem="it does not exist on its load balancer"),),
        foreign=("HTTP :80, /admin forwards with ECS 1",),
        elsewhere=("The ECS target group is attached to other, which no route is on",),
    )
    sentences = told(replace(seen, routes=Reading.of(routes, seen.at)), active=True)
    assert [sentence.split(" ")[0] for sentence in sentences] == ["HTTP", "HTTP", "The"]
    assert "is no route of checkout" in sentences[1]


def test_what_can_not_be_read_differs_in_nothing():
    world = World(unreadable=set(Part))
    assert told(world.observe(), Memory(left=((LISTENER, ON_ECS),), bounds_written=Bounds(2, 5))) == ()
