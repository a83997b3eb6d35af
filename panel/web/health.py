"""The strip at the top of the fleet: is the panel itself well, and what is going on?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from panel.fleet.heartbeats import Beat
from panel.fleet.pulse import Pulse
from panel.operations.models import Hold
from panel.web.times import coarse


@dataclass(frozen=True)
class Part:
    """One part of the panel: fine, or a word for what is wrong."""

    name: str
    ok: bool
    word: str


@dataclass(frozen=True)
class Health:
    """`problems` are sentences; while there is one, the strip is red and nothing on the page counts as fine."""

    parts: tuple[Part, ...]
    problems: tuple[str, ...]
    read_at: float | None
    alarms: int
    operations: int
    last_event_at: datetime | None
    hold: Hold | None


REMEDIES = {
    "worker": "The worker {since}: nothing is started or moved until it runs again.",
    "beat": "Beat {since}: applications are not read and lost work is not picked up until it runs again.",
    "observer": "AWS {since_read}: what you see may have changed.",
}


def health(pulse: Pulse, *, now: float, hold: Hold | None, applications: int) -> Health:
    """Judge the pulse. Without applications there is nothing to observe, so that an idle observer is fine."""
    parts = {"worker": pulse.worker, "beat": pulse.beat}
    problems = [REMEDIES[name].format(since=_silence(beat)) for name, beat in parts.items() if not beat.ok]
    if applications and not pulse.observer.ok:
        problems.append(REMEDIES["observer"].format(since_read=_unread(pulse.observer)))
    if not pulse.broker_ok:
        problems.append("The broker (Redis) does not answer: the sweep does the work, seconds later than usual.")
    return Health(
        parts=(*(_part(name.capitalize(), beat) for name, beat in parts.items()), _broker(pulse.broker_ok)),
        problems=tuple(problems),
        read_at=None if pulse.observer.age_seconds is None else now - pulse.observer.age_seconds,
        alarms=pulse.alarms,
        operations=pulse.active_operations,
        last_event_at=pulse.last_event_at,
        hold=hold,
    )


def _part(name: str, beat: Beat) -> Part:
    return Part(name, beat.ok, "ok" if beat.ok else "silent")


def _broker(ok: bool) -> Part:  # noqa: FBT001 - the pulse's own word
    return Part("Broker", ok, "ok" if ok else "does not answer")


def _silence(beat: Beat) -> str:
    return "has not shown itself yet" if beat.age_seconds is None else f"has been silent for {coarse(beat.age_seconds)}"


def _unread(beat: Beat) -> str:
    return "was never read" if beat.age_seconds is None else f"was last read {coarse(beat.age_seconds)} ago"
