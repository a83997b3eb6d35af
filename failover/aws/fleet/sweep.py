"""One look at many applications: what every part of it needs to know, and how a part's readings are made."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from failover.aws.clients import Readers
from failover.aws.fleet.batch import Asker, Batch
from failover.aws.fleet.pace import Pace
from failover.aws.readings import take, unknown
from failover.model import Application, Part, Reading, Service, Snapshot
from failover.ports import Clock

V = TypeVar("V")
T = TypeVar("T")


@dataclass(frozen=True)
class Sweep:
    """`known` are the newest snapshots by slug, `busy` the slugs that an operation runs for."""

    applications: Sequence[Application]
    readers: Readers
    asker: Asker
    pace: Pace
    clock: Clock
    known: Mapping[str, Snapshot]
    busy: Collection[str]

    def before(self, application: Application) -> Snapshot:
        return self.known.get(application.slug) or Snapshot(0.0)

    def service(self, application: Application, new: Mapping[str, Reading[Service]]) -> Service | None:
        """The service as read in this sweep, or as known before."""
        return (new.get(application.slug) or self.before(application).service).value


def readings(
    part: Part,
    applications: Sequence[Application],
    batch: Batch[V],
    names: Callable[[Application], Sequence[str]],
    value: Callable[[Application], T],
) -> dict[str, Reading[T]]:
    """By slug, of the applications that all of their names were asked for."""
    found: dict[str, Reading[T]] = {}
    for application in applications:
        wanted = names(application)
        if wanted and batch.covers(wanted):
            failure = batch.failure(wanted)
            found[application.slug] = (
                unknown(failure, part, application)
                if failure
                else take(part, application, batch.asked_at(wanted), partial(value, application))
            )
    return found
