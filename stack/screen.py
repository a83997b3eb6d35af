"""What the person at the terminal sees: few lines, the ones that matter."""

import os
import re
import sys
from collections import Counter
from collections.abc import Mapping

_ALERT = re.compile(
    r"\b(WARNING|ERROR|CRITICAL)\b"
    r'|\[(warning|error|critical) *\]|"level": ?"(warning|error|critical)"'
    r"|^[\w.]*Error: "
)
# A Valkey that saves nothing to disk needs no memory for a background save; and /readyz is what we ask until it is 200.
_HARMLESS = re.compile(r"Memory overcommit must be enabled|Service Unavailable: /readyz")
_VARYING = re.compile(r"[0-9a-f-]*[0-9][0-9a-f-]*")
_TIMES_SHOWN = 3
_COLOURS = (36, 32, 35, 34, 33, 96, 92, 95)
_RED = 31
_NAME_WIDTH = 8


class Screen:
    """Lines of the parts, each behind its part's name; without `verbose` only their warnings and errors."""

    def __init__(self, fd: int, *, colour: bool, verbose: bool) -> None:
        self._fd = fd
        self._colour = colour
        self._verbose = verbose
        self._names: list[str] = []
        self._alerts: Counter[tuple[str, str]] = Counter()

    def say(self, text: str = "") -> None:
        self._write(text)

    def part_says(self, name: str, line: str) -> None:
        """A part's own words: always shown, such as that it is ready."""
        self._write(f"{self._prefix(name)}{line}")

    def part_wrote(self, name: str, line: str) -> None:
        """A line of a part's log. What a part says again and again is left to its log."""
        alert = bool(_ALERT.search(line)) and not _HARMLESS.search(line)
        if self._verbose or (alert and self._is_news(name, line)):
            self._write(f"{self._prefix(name)}{self._painted(line, _RED) if alert else line}")

    def _is_news(self, name: str, line: str) -> bool:
        key = (name, _VARYING.sub("", line))
        self._alerts[key] += 1
        return self._alerts[key] <= _TIMES_SHOWN

    def _prefix(self, name: str) -> str:
        if name not in self._names:
            self._names.append(name)
        colour = _COLOURS[self._names.index(name) % len(_COLOURS)]
        return self._painted(f"{name:<{_NAME_WIDTH}} │ ", colour)

    def _painted(self, text: str, colour: int) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self._colour else text

    def _write(self, text: str) -> None:
        try:
            os.write(self._fd, f"{text}\n".encode())
        except OSError:
            # The terminal is gone; the parts still have to be ended in order.
            return


def wants_colour(environ: Mapping[str, str]) -> bool:
    """Only for a person at a terminal who did not set NO_COLOR (https://no-color.org)."""
    return sys.stdout.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
