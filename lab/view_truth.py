"""What is true now in sentences, for the lab's page: above all what nobody can read from AWS."""

from collections.abc import Iterator
from typing import Any

Truth = tuple[str, str]

ALARM, WARN, OK = "alarm", "warn", "ok"


def truths(way: dict[str, Any]) -> list[Truth]:
    """A kind (alarm, warn, ok) and a sentence each, the worst first, out of what ``view_way`` shows."""
    found = [*_of_nodes(way), *_of_function(way), *_of_tasks(way)]
    return sorted(found, key=lambda truth: (ALARM, WARN).index(truth[0])) or [(OK, _calm(way))]


def _calm(way: dict[str, Any]) -> str:
    rate = sum(sum(node["to"].values()) for node in way["nodes"])
    return f"Every request is answered, {rate:.0f} a second." if rate else "Nobody sends requests."


def _of_nodes(way: dict[str, Any]) -> Iterator[Truth]:
    for node in way["nodes"]:
        late = [route["news_in"] for route in node["routes"] if "news_in" in route]
        if late:
            yield WARN, f"Node {node['name']} still sends by the old weights, for {max(0.0, *late):.1f} s more."
        if node["nowhere"]:
            yield ALARM, f"Node {node['name']} has nowhere to send to. Turned away: {_a_second(node['nowhere'])}."


def _of_function(way: dict[str, Any]) -> Iterator[Truth]:
    function = way["function"]
    other = function["failing"] - function["throttled"]
    if function["throttled"]:
        limit = f"Lambda is at its limit of {function['limit']}"
        yield ALARM, f"{limit}. Throttled, which clients see as 502: {_a_second(function['throttled'])}."
    if other > 0:
        yield ALARM, f"Failing on Lambda for another reason: {_a_second(other)}."


def _of_tasks(way: dict[str, Any]) -> Iterator[Truth]:
    ecs = way["tasks"]
    known = [route["knows"] or {} for node in way["nodes"] for route in node["routes"]]
    if not ecs["able"] and any(weights.get("ecs") for weights in known):
        yield ALARM, "ECS has weight but no target: what is sent there is answered with 503."
    elif ecs["failing"]:
        yield ALARM, f"Failing on ECS: {_a_second(ecs['failing'])}."
    if ecs["fails_open"]:
        yield WARN, "No ECS target is healthy: the load balancer fails open and would send to all of them."
    if ecs["capacity"] is not None and ecs["desired"] > ecs["capacity"]:
        yield WARN, f"Fargate has capacity for {ecs['capacity']:.0f} of the {ecs['desired']} tasks asked for."
    draining = [each["target"] for each in ecs["tasks"] if each["target"] and each["target"]["state"] == "draining"]
    if draining:
        yield WARN, _draining(draining)


def _draining(targets: list[dict[str, Any]]) -> str:
    running, left = sum(each["in_flight"] for each in targets), max(each["drained_in"] or 0.0 for each in targets)
    what = "1 target drains" if len(targets) == 1 else f"{len(targets)} targets drain"
    requests = "1 request" if running == 1 else f"{running} requests"
    return f"{what}: {requests} in flight may end within {left:.0f} s."


def _a_second(rate: float) -> str:
    """A rate in words, for the end of a sentence."""
    if rate < 0.5:
        return "a request now and then"
    return "1 request a second" if round(rate) == 1 else f"{rate:.0f} requests a second"
