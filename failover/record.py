"""A journal file read as the record of an operation that has ended: what somebody else may keep of it."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from failover.codec import decode
from failover.journal import Begun, JournalError, lines, read
from failover.model import Decision, Kind, Snapshot
from failover.ports import Outcome


@dataclass(frozen=True)
class Entry:
    """One line of the journal, times aware. `kind` is decision, call, readback or note."""

    at: datetime
    kind: str
    message: str
    detail: dict[str, Any]


@dataclass(frozen=True)
class Record:
    """`identity` is the same however often the file is read, copied or renamed. `cancelled` says why a person ended it.

    The outcome's snapshot has what the routes showed at the end, and nothing else.
    """

    identity: str
    begun: Begun
    reason: str
    began_at: datetime
    ended_at: datetime
    outcome: Outcome
    cancelled: str
    entries: tuple[Entry, ...]


def read_record(path: Path) -> Record:
    """Raises JournalError where the file is no journal, or its operation has not ended."""
    begun, found = read(path), lines(path)
    if found[-1].get("kind") != "end":
        raise JournalError(
            f"{path} is of an operation that has not ended: go on with it by --resume, or end it by Ctrl-C there."
        )
    try:
        return _record(begun, found)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise JournalError(f"{path} is no journal of this program.") from error


def _record(begun: Begun, found: list[dict[str, Any]]) -> Record:
    asked, end = found[0], found[-1]
    if "\\u0000" in json.dumps(found) or not isinstance(begun.slug, str):
        raise ValueError("not what this program writes, and no database takes it")
    how = end["detail"]
    ended_at = _moment(end["at"])
    decision = Decision(
        Kind(how["outcome"]),
        str(end["message"]),
        begun.progress,
        detail=str(how["detail"]),
        rule=str(how["rule"])[:32],
        remedy=str(how["remedy"]),
    )
    snapshot = decode(Snapshot, {"at": ended_at.timestamp(), "routes": how["routes"]})
    return Record(
        identity=hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:32],
        begun=begun,
        reason=str(asked["message"]),
        began_at=_moment(asked["at"]),
        ended_at=ended_at,
        outcome=Outcome(decision, snapshot, begun.progress),
        cancelled=str(how["cancelled"]),
        entries=tuple(_entries(found)),
    )


def _moment(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return at


def _entries(found: list[dict[str, Any]]) -> list[Entry]:
    """A decision stands in the file at each cycle, for the progress that it carries; as a record once is enough."""
    entries, headline = [], ""
    for line in found:
        kind, message, detail = str(line["kind"]), str(line["message"]), dict(line["detail"])
        if kind in ("request", "end") or (kind == "decision" and message == headline):
            continue
        headline = message if kind == "decision" else headline
        detail.pop("progress", None)
        entries.append(Entry(_moment(line["at"]), kind if kind in KINDS else "note", message, detail))
    return entries


KINDS = ("decision", "call", "readback")
