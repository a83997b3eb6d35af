"""What ECS says is wrong reaches who reads the operation; a service that moves its own traffic is left alone."""

from dataclasses import replace

from failover.decide import decide
from failover.model import Goal, Kind, Part, Progress, Reading, Request
from tests.failover.world import World, application

TROUBLE = "The container exits at once: exit code 1"


def decided(world: World, progress: Progress, **service: str):
    snapshot = world.observe(tuple(Part))
    told = Reading.of(replace(snapshot.service.value, **service), world.now)
    return decide(application(), Request(Goal.FAILOVER), replace(snapshot, service=told), progress, world.now)


def waiting(world: World, since: float) -> Progress:
    return replace(Progress(), phase="healthy", phase_since=since, enough=2, wanted=2)


def test_while_it_waits_for_tasks_it_says_what_keeps_them():
    world = World(desired=2)
    decision = decided(world, waiting(world, world.now - 10), trouble=TROUBLE)
    assert (decision.kind, TROUBLE in decision.detail) == (Kind.WAIT, True)


def test_at_the_deadline_it_says_what_kept_them():
    world = World(desired=2)
    decision = decided(world, waiting(world, world.now - 3600), trouble=TROUBLE)
    assert (decision.kind, decision.rule) == (Kind.STOP, "capacity")
    assert TROUBLE in decision.detail


def test_a_circuit_breaker_that_gave_up_is_told_with_its_cause():
    world = World()
    progress = replace(Progress(), phase="capacity", phase_since=world.now)
    decision = decided(world, progress, deployment_failed=True, trouble="The deployment's circuit breaker gave up: why")
    assert (decision.kind, "gave up: why" in decision.detail) == (Kind.STOP, True)


def test_a_service_whose_deployments_move_traffic_themselves_is_refused():
    """ECS developer guide, "Amazon ECS blue/green deployments": ECS rewrites the listener's weights."""
    decision = decided(World(), Progress(), weight_writer="ECS itself rewrites the listener's weights.")
    assert (decision.kind, decision.rule) == (Kind.REFUSE, "deployment_running")
    assert "ROLLING" in decision.remedy
