"""A journal as a file: one JSON object a line, flushed to disk before AWS hears of what it says."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

from failover.codec import decode, encode
from failover.model import (
    PROGRESS_VERSION,
    Action,
    Application,
    Decision,
    Goal,
    Kind,
    Memory,
    Progress,
    Request,
    Snapshot,
)
from failover.ports import AwsError, Call, Clock, Outcome

Tell = Callable[[str, str], None]  # kind and message, for people


class JournalError(Exception):
    """The file can't be read as a journal, or not be written. The message is a sentence that names it."""


class FileJournal:
    """Implements `failover.ports.Journal`. The first line says what was asked for; decisions carry the progress.

    What can't be stored raises JournalError, so that nothing is written to AWS which is not in the journal.
    """

    def __init__(self, path: Path, tell: Tell, clock: Clock) -> None:
        self.path = path
        self._tell = tell
        self._clock = clock
        self._file = _opened(path)
        self._headline = ""
        self.in_use = True

    def begun(self, application: Application, request: Request, reason: str) -> None:
        self.in_use = False
        self._write("request", reason, {"application": application.slug, "request": encode(request)})

    def resumed(self, reason: str) -> None:
        self._write("resumed", reason, {})

    def decided(self, decision: Decision) -> None:
        detail = {"kind": decision.kind.value, "detail": decision.detail, "progress": encode(decision.progress)}
        self._write("decision", decision.headline, detail)
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
        """A new journal that was never `in_use`, since its operation was not begun after all, is removed."""
        with suppress(OSError):
            self._file.close()
        if not self.in_use:
            self.path.unlink(missing_ok=True)

    def _write(self, kind: str, message: str, detail: dict[str, Any]) -> None:
        at = datetime.fromtimestamp(self._clock(), UTC).isoformat()
        try:
            self._file.write(json.dumps({"at": at, "kind": kind, "message": message, "detail": detail}) + "\n")
            self._file.flush()
            os.fsync(self._file.fileno())
        except OSError as error:
            raise _unwritable(self.path, error) from error


def _opened(path: Path) -> TextIO:
    """To append to. A line that was left unfinished is ended, so that the next one stands by itself."""
    try:
        unfinished = path.is_file() and not path.read_bytes().endswith(b"\n")
        file = path.open("a", encoding="utf-8")
        if unfinished:
            file.write("\n")
    except (OSError, ValueError) as error:
        raise _unwritable(path, error) from error
    return file


def _unwritable(path: Path, error: OSError | ValueError) -> JournalError:
    problem = getattr(error, "strerror", None) or error
    return JournalError(f"The journal {path} can't be written: {problem}. Work where there is room for a file.")


_ENDS = (Kind.DONE, Kind.STOP, Kind.REFUSE)


@dataclass(frozen=True)
class Begun:
    """What a journal says of its operation; `end` is how it ended, empty while it has not."""

    slug: str
    request: Request
    progress: Progress
    end: str


def read(path: Path) -> Begun:
    """What a journal file was after, and how far it got. Raises JournalError."""
    try:
        found = lines(path)
        asked = next(line["detail"] for line in found if line["kind"] == "request")
        decisions = [line for line in found if line["kind"] == "decision"]
        progress = decode(Progress, decisions[-1]["detail"]["progress"]) if decisions else Progress()
        end = _end(decisions[-1], progress) if decisions else ""
        return Begun(asked["application"], decode(Request, asked["request"]), progress, end)
    except OSError as error:
        raise JournalError(f"{path} can't be read: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, StopIteration) as error:
        raise JournalError(f"{path} is no journal of this program: give the file that an operation named.") from error


def _end(decision: dict[str, Any], progress: Progress) -> str:
    ended = decision["detail"].get("kind") in _ENDS or progress.mark("ended") is not None
    return str(decision["message"]) if ended else ""


def lines(path: Path) -> list[Any]:
    """A power cut or a full disk can leave a line unfinished; what stands before and after it is whole."""
    found = []
    for line in path.read_text(encoding="utf-8").split("\n"):
        with suppress(json.JSONDecodeError):
            found.append(json.loads(line))
    return found


def resume(path: Path, slug: str, goal: Goal) -> tuple[Request, Progress]:
    """The operation to go on with. Raises JournalError where the journal is of another application or goal, or of an
    operation that has ended.
    """
    begun = read(path)
    if (begun.slug, begun.request.goal) != (slug, goal):
        raise JournalError(f"{path} is of a {begun.request.goal} of {begun.slug}, not of a {goal} of {slug}.")
    if begun.end:
        raise JournalError(
            f"{path} is of a {goal} that has ended ({begun.end}): leave out --resume to begin another one."
        )
    return begun.request, begun.progress


def remembered(path: Path) -> Memory:
    """What an earlier operation's journal knows about the time before it. Raises JournalError."""
    progress = read(path).progress
    if not 1 <= progress.version <= PROGRESS_VERSION:
        raise JournalError(f"{path} was written by another version of this program: give --before with that one.")
    return progress.memory
