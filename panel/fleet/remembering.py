"""What was worked out from a text, remembered by the text, up to so many characters of texts in all."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Remembered(Generic[T]):
    """Calls `work` for a text that is not known; the longest unused are forgotten first. Safe to share by threads.

    Counted by length, since a few long texts cost as much as a thousand ordinary ones. What `work` raises is raised.
    """

    def __init__(self, work: Callable[[str, str], T], most: int) -> None:
        self._work, self._most = work, most
        self._known: OrderedDict[tuple[str, str], T] = OrderedDict()
        self._length = 0
        self._lock = threading.Lock()

    def __call__(self, text: str, source: str) -> T:
        """`source` is what a problem with the text is told under."""
        key = text, source
        with self._lock:
            if key in self._known:
                self._known.move_to_end(key)
                return self._known[key]
        found = self._work(text, source)
        with self._lock:
            if key not in self._known and len(text) <= self._most:
                self._known[key] = found
                self._length += len(text)
            while self._length > self._most:
                (forgotten, _), _ = self._known.popitem(last=False)
                self._length -= len(forgotten)
        return found

    @property
    def length(self) -> int:
        """Characters of what is remembered."""
        return self._length
