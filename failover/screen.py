"""What a person sees: lines that stay, below them a block that is drawn anew, or one JSON object a line."""

from __future__ import annotations

import json
import shutil
import sys
from typing import Any

_UP_AND_CLEAR = "\033[{lines}F\033[J"


class Screen:
    """A block is drawn only on a terminal; `json` prints objects and no words."""

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self.live = not as_json and sys.stdout.isatty()
        self._block = 0

    def line(self, words: str) -> None:
        """Print for good."""
        self._clear()
        sys.stdout.write(words + "\n")
        sys.stdout.flush()

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
        self._clear()
        width = shutil.get_terminal_size().columns - 1
        lines = [line[:width] for line in words.splitlines()]
        sys.stdout.write("\n".join(lines) + "\n")
        sys.stdout.flush()
        self._block = len(lines)

    def keep(self) -> None:
        """Let the block stand as it is."""
        self._block = 0

    def _clear(self) -> None:
        if self._block:
            sys.stdout.write(_UP_AND_CLEAR.format(lines=self._block))
            self._block = 0
