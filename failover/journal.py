"""A journal as a file: one JSON object a line, flushed to disk before AWS hears of what it says."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from failover.codec import decode, encode
from failover.model import Action, Application, Decision, Goal, Memory, Progress, Request, Snapshot
from failover.ports import AwsError, Call, Clock, Outcome

Tell = Callable[[str, str], None]  # kind and message, for people


class JournalError(Exception):
    """The file can't be read as a journal. The message is a sentence that names it."""


class FileJournal:
    """Implements `failover.ports.Journal`. The first line says what was asked for; decisions carry the progress."""

    def __init__(self, path: Path, tell: Tell, clock: Clock) -> None:
        self.path = path
        self._tell = tell
        self._clock = clock
        _finish_last_line(path)
        self._file: TextIO = path.open("a", encoding="utf-8")
        self._headline = ""

    def begun(self, application: Application, request: Request, reason: str) -> None:
        self._write("request", reason, {"application": application.slug, "request": encode(request)})

    def decided(self, decision: Decision) -> None:
        self._write("decision", decision.headline, {"detail": decision.detail, "progress": encode(decision.progress)})
        if decision.headline != self._headline:
            self._headline = decision.headline
            self._tell(decision.kind.value, decision.told)

    def called(self, call: Call) -> None:
        self._write("call", f"{call.action}: {call.after}", asdict(call))
        self._tell("call", f"{call.action}: {call.after} (request {call.request_id})")

    def failed(self, action: Action, error: AwsError) -> None:
        self._write("call", f"{action}: failed, {error}", {"error": error.kind, "remedy": error.remedy})
        self._tell("failed", f"{action}: {error}")

    def read_back(self, snapshot: Snapshot) -> None:
        shown = ", ".join(str(split) for split in snapshot.splits) or snapshot.routes.problem
        self._write("readback", shown, {})
        self._tell("readback", f"routes show {shown}")

    def ended(self, outcome: Outcome, cancelled: str) -> None:
        """The last line: how it ended, and what the routes showed then. `cancelled` is a person's reason to end it."""
        decision = outcome.decision
        how = {"outcome": decision.kind, "detail": decision.detail, "rule": decision.rule, "remedy": decision.remedy}
        left = {"cancelled": cancelled, "routes": encode(outcome.snapshot.routes)}
        self._write("end", decision.headline, {**how, **left})

    def close(self) -> None:
        self._file.close()

    def _write(self, kind: str, message: str, detail: dict[str, Any]) -> None:
        at = datetime.fromtimestamp(self._clock(), UTC).isoformat()
        self._file.write(json.dumps({"at": at, "kind": kind, "message": message, "detail": detail}) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())


def _finish_last_line(path: Path) -> None:
    """What a power cut left unfinished goes: it would make one unreadable line with what is written next."""
    written = path.read_bytes() if path.exists() else b""
    whole = written.rfind(b"\n") + 1
    if whole == len(written):
        return
    try:
        json.loads(written[whole:])
    except ValueError:
        os.truncate(path, whole)
    else:
        path.write_bytes(written + b"\n")


@dataclass(frozen=True)
class Begun:
    """What a journal says of its operation."""

    slug: str
    request: Request
    progress: Progress


def read(path: Path) -> Begun:
    """What a journal file was after, and how far it got. Raises JournalError."""
    try:
        found = lines(path)
        asked = next(line["detail"] for line in found if line["kind"] == "request")
        decisions = [line["detail"]["progress"] for line in found if line["kind"] == "decision"]
        progress = decode(Progress, decisions[-1]) if decisions else Progress()
        return Begun(asked["application"], decode(Request, asked["request"]), progress)
    except OSError as error:
        raise JournalError(f"{path} can't be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, StopIteration) as error:
        raise JournalError(f"{path} is no journal of this program.") from error


def lines(path: Path) -> list[Any]:
    """A power cut can leave the last line unfinished; what stands before it is whole."""
    *whole, last = [line for line in path.read_text(encoding="utf-8").split("\n") if line] or [""]
    found = [json.loads(line) for line in whole]
    try:
        return [*found, json.loads(last)]
    except ValueError:
        return found


def resume(path: Path, slug: str, goal: Goal) -> tuple[Request, Progress]:
    """The operation to go on with. Raises JournalError where the journal is of another application or goal."""
    begun = read(path)
    if (begun.slug, begun.request.goal) != (slug, goal):
        raise JournalError(f"{path} is of a {begun.request.goal} of {begun.slug}, not of a {goal} of {slug}.")
    return begun.request, begun.progress


def remembered(path: Path) -> Memory:
    """What an earlier operation's journal knows about the time before it. Raises JournalError."""
    return read(path).progress.memory
