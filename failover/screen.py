"""What a person sees: lines that stay, below them a block that is drawn anew, or one JSON object a line."""

from __future__ import annotations

import io
import json
import os
import shutil
import sys
from contextlib import suppress
from typing import Any

_CLOSED = (ValueError, AttributeError)  # closed meanwhile; closed from the start, so that there is no sys.stdout
_UP_AND_CLEAR = "\033[{lines}F\033[J"


class Screen:
    """A block is drawn only on a terminal; `json` prints objects and no words.

    Where nobody can see it any more (standard output closed, or on a full disk) it is `silent`: nothing that is under
    way may end for that.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.silent = self.live = False
        self._block = 0
        with suppress(*_CLOSED):
            self.live = not as_json and sys.stdout.isatty()
            if isinstance(sys.stdout, io.TextIOWrapper):
                sys.stdout.reconfigure(errors="replace")  # a terminal that can't write ● or →

    def line(self, words: str) -> None:
        """Print for good."""
        self._write(self._cleared() + words + "\n")

    def ask(self, words: str) -> None:
        """A question, its answer on the same line."""
        self._write(self._cleared() + words)

    def object(self, body: dict[str, Any]) -> None:
        self.line(json.dumps(body))

    def answer(self, words: str, body: dict[str, Any]) -> None:
        """The same as words or as JSON, whichever was asked for."""
        if self.as_json:
            self.object(body)
        else:
            self.line(words)

    def block(self, words: str) -> None:
        """Draw in place of the block before; lines are cut to the terminal's width, so that each takes one row."""
        if not self.live:
            return
        width = shutil.get_terminal_size().columns - 1
        lines = [line[:width] for line in words.splitlines()]
        self._write(self._cleared() + "\n".join(lines) + "\n")
        self._block = len(lines)

    def keep(self) -> None:
        """Let the block stand as it is."""
        self._block = 0

    def _cleared(self) -> str:
        block, self._block = self._block, 0
        return _UP_AND_CLEAR.format(lines=block) if block else ""

    def _write(self, words: str) -> None:
        if self.silent:
            return
        try:
            sys.stdout.write(words)
            sys.stdout.flush()
        except (OSError, *_CLOSED):
            self.silent, self.live = True, False
            _leave_unwritten()


def _leave_unwritten() -> None:
    """Python writes what is left in its buffer once more when it ends, and exits with 120 where that fails."""
    with suppress(OSError, *_CLOSED), open(os.devnull, "w", encoding="utf-8") as nowhere:  # noqa: PTH123
        os.dup2(nowhere.fileno(), sys.stdout.fileno())
