"""How it is said: a title for a lock screen, a few plain lines, and the same as JSON for machines. Times are UTC."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from failover.model import Position
from panel.fleet import snapshots
from panel.fleet.models import Application
from panel.notify.kinds import SEVERITIES, Kind, kinds
from panel.notify.models import Notice

LONGEST_TITLE = 120
LONGEST_PART = 600
MOST_NAMED = 8  # of a summary's notices


@dataclass(frozen=True)
class Message:
    """What is sent. `id` is the same at each try, so that whoever receives it twice knows."""

    id: str
    kind: str
    severity: str
    title: str
    text: str
    body: dict[str, Any]


def words(
    kind: Kind, application: Application | None, subject: str, what: str, next_: str, row: int | None
) -> dict[str, str]:
    """The parts of a notice that are said by the table."""
    slug = application.slug if application else ""
    about = f"{slug}: " if slug else ""
    link = kind.link.format(slug=slug, id=row or "") if slug or "{slug}" not in kind.link else "/"
    return {
        "title": _short(about + kind.title.format(subject=subject), LONGEST_TITLE),
        "what": sentence(kind, subject, what),
        "next": _short(next_ or kind.next, LONGEST_PART),
        "path": link,
    }


def sentence(kind: Kind, subject: str, what: str) -> str:
    return _short(kind.sentence.format(subject=subject, what=what).strip(), LONGEST_PART)


def traffic(application: Application) -> str:
    """Where traffic is, as AWS was last read."""
    snapshot = snapshots.latest(application)
    if snapshot is None or snapshot.position is Position.UNKNOWN:
        return "where it goes could not be read"
    read = f"as read at {moment(datetime.fromtimestamp(snapshot.routes.at, UTC))}"
    if snapshot.position is Position.SPLIT:
        split = snapshot.split
        where = f"split {split.lambda_}/{split.ecs} between Lambda and ECS" if split else "routes disagree"
        return f"{where}, {read}"
    return f"all on {'Lambda' if snapshot.position is Position.LAMBDA else 'ECS'}, {read}"


def moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def single(notice: Notice, message_id: str) -> Message:
    severity = kinds()[notice.kind].severity if notice.kind in kinds() else "info"
    return Message(message_id, notice.kind, severity, notice.title, _text(notice), _body(notice, severity, message_id))


def summary(notices: Sequence[Notice], message_id: str) -> Message:
    """Many at once, because there were too many to tell each: how many of which kind, and the last ones' titles."""
    counted = Counter(notice.kind for notice in notices)
    severity = max((kinds()[kind].severity for kind in counted if kind in kinds()), key=SEVERITIES.index)
    title = f"{len(notices)} notifications at once, {sum(map(_critical, notices))} of them critical"
    named = sorted(notices, key=lambda each: (not _critical(each), -(each.pk or 0)))[:MOST_NAMED]
    more = len(notices) - len(named)
    lines = [
        ", ".join(f"{count} {kind}" for kind, count in counted.most_common()),
        *(f"- {each.title} ({moment(each.last_at)})" for each in named),
        *([f"- and {more} more"] if more else []),
        settings.PANEL_BASE_URL + "/settings/notifications/",
    ]
    bodies = [_body(notice, kinds()[notice.kind].severity, "") for notice in named]
    body = {
        "version": 1, "id": message_id, "kind": "summary", "severity": severity, "title": title,
        "counts": dict(counted), "notifications": bodies, "link": lines[-1],
    }  # fmt: skip
    return Message(message_id, "summary", severity, title, "\n".join(lines), body)


def _critical(notice: Notice) -> bool:
    return notice.kind in kinds() and kinds()[notice.kind].severity == "critical"


def _text(notice: Notice) -> str:
    lines = [
        notice.what,
        f"Traffic: {notice.traffic}." if notice.traffic else "",
        f"Next: {notice.next}" if notice.next else "",
        _who(notice),
        _when(notice),
        settings.PANEL_BASE_URL + notice.path if notice.path else "",
    ]
    return "\n".join(line for line in lines if line)


def _who(notice: Notice) -> str:
    why = _short(notice.why, LONGEST_PART)
    if notice.by and why:
        return f"By {notice.by}: {why}"
    return f"By {notice.by}." if notice.by else why


def _when(notice: Notice) -> str:
    if notice.count == 1:
        return moment(notice.happened_at)
    return f"Again: {notice.count} times from {moment(notice.happened_at)} to {moment(notice.last_at)}"


def _body(notice: Notice, severity: str, message_id: str) -> dict[str, Any]:
    """The schema is documented in docs/notifications.md: add to it, but never change or drop a name."""
    return {
        "version": 1,
        "id": message_id,
        "kind": notice.kind,
        "severity": severity,
        "title": notice.title,
        "what": notice.what,
        "traffic": notice.traffic,
        "next": notice.next,
        "by": notice.by,
        "why": _short(notice.why, LONGEST_PART),
        "application": notice.application,
        "subject": notice.subject,
        "count": notice.count,
        "happened_at": notice.happened_at.astimezone(UTC).isoformat(timespec="seconds"),
        "last_at": notice.last_at.astimezone(UTC).isoformat(timespec="seconds"),
        "link": settings.PANEL_BASE_URL + notice.path,
    }


def _short(text: str, longest: int) -> str:
    bare = " ".join(text.split())
    return bare if len(bare) <= longest else f"{bare[: longest - 1]}…"
