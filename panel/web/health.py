"""The strip at the top of the fleet: is the panel itself well, and what is going on?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from panel.fleet.heartbeats import Beat
from panel.fleet.pulse import Pulse
from panel.web.times import coarse
from panel.words import gettext_lazy


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
    "worker": gettext_lazy("The worker {since}: nothing is started or moved until it runs again."),
    "beat": gettext_lazy("Beat {since}: applications are not read and lost work is not picked up until it runs again."),
    "observer": gettext_lazy("AWS {since_read}: what you see may have changed."),
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
        problems.append(_("The broker (Redis) does not answer: the sweep does the work, seconds later than usual."))
    return Health(
        parts=(
            _part(_("Worker"), pulse.worker),
            _part(_("Beat"), pulse.beat),
            Part(_("Broker"), pulse.broker_ok, _("ok") if pulse.broker_ok else _("does not answer")),
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
    counted = {"unread": len(unread), "applications": applications}
    of = (
        ngettext(
            "%(unread)s of %(applications)s application", "%(unread)s of %(applications)s applications", applications
        )
        % counted
    )
    if _throttled(unread):
        return (
            _("AWS throttles the panel's calls: %(of)s can't be read in full. It is tried again every few seconds.")
            % {"of": of},
        )
    return (_("AWS did not tell everything about %(of)s: %(unread)s.") % {"of": of, "unread": unread[0]},)


def _aws(unread: Sequence[str]) -> tuple[Part, ...]:
    return (Part("AWS", ok=False, word=_("throttles") if _throttled(unread) else _("partly unread")),) if unread else ()


def _throttled(unread: Sequence[str]) -> bool:
    return any(word in problem for problem in unread for word in THROTTLED)


def _part(name: str, beat: Beat) -> Part:
    return Part(name, beat.ok, _("ok") if beat.ok else _("silent"))


def _silence(beat: Beat) -> str:
    return (
        _("has not shown itself yet")
        if beat.age_seconds is None
        else _("has been silent for %(age_seconds)s") % {"age_seconds": coarse(beat.age_seconds)}
    )


def _unread(beat: Beat) -> str:
    return (
        _("was never read")
        if beat.age_seconds is None
        else _("was last read %(age_seconds)s ago") % {"age_seconds": coarse(beat.age_seconds)}
    )
