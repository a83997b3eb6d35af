"""The moments between the steps of an operation, at one of which a worker can be made to die."""

from __future__ import annotations

import functools
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Boundaries:
    """Counts the moments that were passed, in a file that outlives the worker; at the chosen one it kills itself."""

    def __init__(self, directory: Path) -> None:
        self._file = directory / "boundaries"

    def begin(self, die_at: int | None) -> None:
        """Count anew. `die_at` counts from 1; with None nobody dies."""
        self._store(die_at, [])

    @property
    def passed(self) -> list[str]:
        return self._load()[1]

    @property
    def died_holding_a_lease(self) -> bool:
        """A lease is given back with the outcome. Until somebody moves its time nobody else passes a moment."""
        die_at, passed = self._load()
        return die_at is not None and len(passed) == die_at and not passed[-1].startswith("after storing the outcome")

    def reach(self, moment: str) -> None:
        """Called by the one worker that steps, so that nobody else changes the file meanwhile."""
        die_at, passed = self._load()
        passed.append(moment)
        self._store(die_at, passed)
        if len(passed) == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, owner: Any, name: str, said: Callable[..., str]) -> None:
        """Have the moments before and after `owner.name` counted; `said` names it from its arguments."""
        original = getattr(owner, name)

        @functools.wraps(original)
        def counted(*arguments: Any, **options: Any) -> Any:
            moment = said(*arguments)
            self.reach(f"before {moment}")
            answer = original(*arguments, **options)
            self.reach(f"after {moment}")
            return answer

        setattr(owner, name, counted)

    def _load(self) -> tuple[int | None, list[str]]:
        if not self._file.exists():
            return None, []
        found = json.loads(self._file.read_text())
        return found["die_at"], found["passed"]

    def _store(self, die_at: int | None, passed: list[str]) -> None:
        new = self._file.with_suffix(".new")
        new.write_text(json.dumps({"die_at": die_at, "passed": passed}))
        new.replace(self._file)
