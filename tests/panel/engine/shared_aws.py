"""The fake AWS in a file, so that several processes see one, and what each wrote under which lease."""

from __future__ import annotations

import fcntl
import pickle
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from failover.model import Action, AlarmState, Application, Part, Snapshot, Split
from failover.ports import Call, MaySend, always
from panel.operations.journal import Lease
from tests.panel.fake_aws import FakeAws

KEPT = ("alarm", "split", "desired", "scaling")


@dataclass(frozen=True)
class Written:
    """A write as AWS took it; `operation` and `lease` say under whose lease and in which version of it."""

    action: str
    operation: int
    lease: int


class Held(threading.local):
    lease: Lease | None = None


class SharedAws(FakeAws):
    """Keeps the contract of `FakeAws`; every look and every write is one step of all processes together.

    `held.lease` is the one that this thread claimed last.
    """

    held = Held()

    def __init__(self, application: Application, directory: Path) -> None:
        super().__init__(application)
        self._file = directory / "aws"

    def observe(self, parts: Collection[Part] = tuple(Part)) -> Snapshot:
        with self._together():
            return super().observe(parts)

    def write(self, action: Action, may_send: MaySend = always) -> Call:
        with self._together() as written:
            call = super().write(action, may_send)
            held = self.held.lease
            written.append(Written(str(action), held.operation_id if held else 0, held.version if held else 0))
            return call

    def set(self, *, alarm: AlarmState | None = None, split: Split | None = None, desired: int | None = None) -> None:
        """Change what AWS shows."""
        given = {"alarm": alarm, "split": split, "desired": desired}
        with self._together():
            vars(self).update({name: value for name, value in given.items() if value is not None})

    @property
    def written(self) -> list[Written]:
        with self._together() as written:
            return list(written)

    @contextmanager
    def _together(self) -> Iterator[list[Written]]:
        with self._file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            state, written = pickle.loads(self._file.read_bytes()) if self._file.exists() else ({}, [])
            vars(self).update(state)
            yield written
            state = {name: getattr(self, name) for name in KEPT}
            new = self._file.with_suffix(".new")
            new.write_bytes(pickle.dumps((state, written)))
            new.replace(self._file)
