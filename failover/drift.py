"""Where AWS is not as it was left, or shares with others what should be ours: told to people, never overwritten."""

from __future__ import annotations

from collections.abc import Iterator

from failover.automation import foreign_change
from failover.model import Application, Bounds, Memory, Position, Snapshot


def found(application: Application, snapshot: Snapshot, memory: Memory, *, active: bool) -> tuple[str, ...]:
    """A sentence for each difference. While an operation is `active`, what it is about to change is none.

    A part of AWS that is unknown differs in nothing: that it is unknown is said elsewhere.
    """
    settled = () if active else (*_weights(snapshot, memory), *_bounds(snapshot, memory))
    return (*settled, *_routes(application, snapshot))


def _weights(snapshot: Snapshot, memory: Memory) -> Iterator[str]:
    foreign = foreign_change(snapshot, memory)
    if foreign:
        yield f"{foreign}."
    elif snapshot.split is None and snapshot.position is Position.SPLIT:
        shown = (
            ", ".join(f"{r.label} {r.split}" for r in snapshot.routes.value.managed) if snapshot.routes.value else ""
        )
        yield f"The routes differ: {shown}."


def _bounds(snapshot: Snapshot, memory: Memory) -> Iterator[str]:
    written, scaling = memory.bounds_written, snapshot.scaling.value
    if written is None or scaling is None or scaling.bounds == written:
        return
    shown = _in_words(scaling.bounds) if scaling.bounds else "gone"
    yield f"The autoscaling bounds are {shown}, and were left at {_in_words(written)}."


def _in_words(bounds: Bounds) -> str:
    return f"{bounds.minimum} to {bounds.maximum} tasks"


def _routes(application: Application, snapshot: Snapshot) -> Iterator[str]:
    routes = snapshot.routes.value
    if routes is None:
        return
    yield from (f"{route.label} can't be managed: {route.problem}." for route in routes.managed if route.problem)
    yield from (f"{each}, and is no route of {application.slug}." for each in routes.foreign)
    yield from (f"{each}." for each in routes.elsewhere)
    service = snapshot.service.value
    if service is not None and service.weight_writer:
        yield service.weight_writer
