"""The strip at the top of the fleet: is the panel itself well, and what is going on?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from panel.fleet.heartbeats import Beat
from panel.fleet.pulse import Pulse
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
    last_event_at: datetime | None


REMEDIES = {
    "worker": "The worker {since}: nothing is started or moved until it runs again.",
    "beat": "Beat {since}: applications are not read and lost work is not picked up until it runs again.",
    "observer": "AWS {since_read}: what you see may have changed.",
}
THROTTLED = ("Throttl", "TooManyRequests", "RequestLimitExceeded", "Rate exceeded")


def health(pulse: Pulse, *, now: float, unread: Sequence[str], applications: int) -> Health:
    """Judge the pulse. `unread` says why a part could not be read, for each application that this is so of. Without
    applications there is nothing to observe, so that an idle observer is fine.
    """
    parts = {"worker": pulse.worker, "beat": pulse.beat}
    problems = [REMEDIES[name].format(since=_silence(beat)) for name, beat in parts.items() if not beat.ok]
    if applications and not pulse.observer.ok:
        problems.append(REMEDIES["observer"].format(since_read=_unread(pulse.observer)))
    if not pulse.broker_ok:
        problems.append("The broker (Redis) does not answer: the sweep does the work, seconds later than usual.")
    return Health(
        parts=(
            *(_part(name.capitalize(), beat) for name, beat in parts.items()),
            Part("Broker", pulse.broker_ok, "ok" if pulse.broker_ok else "does not answer"),
            *_aws(unread),
        ),
        problems=(*problems, *_partly(unread, applications)),
        read_at=None if pulse.observer.age_seconds is None else now - pulse.observer.age_seconds,
        last_event_at=pulse.last_event_at,
    )


def _partly(unread: Sequence[str], applications: int) -> tuple[str, ...]:
    """What AWS keeps from us, as one sentence however many applications it is about."""
    if not unread:
        return ()
    of = f"{len(unread)} of {applications} application{'s' if applications != 1 else ''}"
    if _throttled(unread):
        return (f"AWS throttles the panel's calls: {of} can't be read in full. It is tried again every few seconds.",)
    return (f"AWS did not tell everything about {of}: {unread[0]}.",)


def _aws(unread: Sequence[str]) -> tuple[Part, ...]:
    return (Part("AWS", ok=False, word="throttles" if _throttled(unread) else "partly unread"),) if unread else ()


def _throttled(unread: Sequence[str]) -> bool:
    return any(word in problem for problem in unread for word in THROTTLED)


def _part(name: str, beat: Beat) -> Part:
    return Part(name, beat.ok, "ok" if beat.ok else "silent")


def _silence(beat: Beat) -> str:
    return "has not shown itself yet" if beat.age_seconds is None else f"has been silent for {coarse(beat.age_seconds)}"


def _unread(beat: Beat) -> str:
    return "was never read" if beat.age_seconds is None else f"was last read {coarse(beat.age_seconds)} ago"
