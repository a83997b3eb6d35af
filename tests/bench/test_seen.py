"""What an incident shows, out of what clients and the lab recorded."""

from bench.incident import Played, Stage, Told
from bench.seen import Seen
from lab.load import Record
from stack.watch import Sight

STAGES = (Stage("calm", 10, 1, 0), Stage("surge", 10, 9, 0))


def record(at: float, status: int = 200, pool: str = "lambda") -> Record:
    return Record(at, at + 0.1, "/bang", status, pool, "a", "")


def sight(at: float, ecs: int, known: int | None = None) -> Sight:
    node = ecs if known is None else known
    return Sight(at, {}, {"/": (100 - ecs, ecs)}, {"a": (100 - node, node)}, 3, 3, 3, 0)


def alarm(name: str, *changes: tuple[float, str]) -> dict:
    return {"name": name, "history": [{"at": at, "to": to} for at, to in changes]}


def seen(**changes) -> Seen:
    alarms = [
        alarm("checkout-lambda-prewarm", (105, "ALARM")),
        alarm("checkout-lambda-throttles", (103, "OK"), (115, "ALARM"), (150, "OK")),
    ]
    writes = [
        {"at": 101, "service": "elbv2", "action": "ModifyListener"},
        {"at": 116, "service": "dynamodb", "action": "PutItem"},
        {"at": 122, "service": "elbv2", "action": "ModifyListener"},
    ]
    given = {
        "records": [record(101), record(111, 502), record(112, 503, "ecs"), record(113, 0, "")],
        "sights": [sight(100, 0), sight(122.4, 100, 0), sight(125, 100)],
        "state": {"applications": {"checkout": {"alarms": alarms}}},
        "calls": {"total": 30, "writes": writes},
        "told": Told([(116, "start", "set_weights: prewarm"), (118, "start", "failover: an alarm")]),
    }
    return Seen(Played(STAGES, (100, 110), **given | changes))


def test_losses_are_counted_by_pool_and_status_and_by_the_stage_that_sent_them():
    assert seen().sent == 4
    assert seen().lost == {("lambda", 502): 1, ("ecs", 503): 1, ("", 0): 1}
    assert seen().lost_by_stage == {"calm": 0, "surge": 3}


def test_times_count_from_the_alarm_that_a_failover_is_for():
    assert (seen().alarm_to_write, seen().write_to_nodes, seen().decision_to_write) == (7, 3, 4)


def test_writes_of_the_lease_are_calls_but_change_nothing():
    assert (seen().calls, seen().writes) == (30, 2)


def test_what_never_came_is_none():
    never = seen(calls={"total": 0, "writes": []})
    assert (never.alarm_to_write, never.write_to_nodes, never.decision_to_write) == (None, None, None)


def test_moves_are_counted_as_the_weights_came_wholly_over():
    there_and_back_twice = [sight(at, ecs) for at, ecs in enumerate((0, 100, 100, 50, 0, 100, 90, 100, 0))]
    moved = seen(sights=there_and_back_twice)
    assert (moved.failovers, moved.failbacks, moved.tasks) == (2, 2, 3)
