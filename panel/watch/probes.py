"""Questions that may never be answered, asked in threads of their own so that nobody waits for longer than he wants."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from django.db import connections

T = TypeVar("T")


class Probe(Generic[T]):
    """One question at a time: whoever asks while the last one is open waits for its answer, so threads never pile up.

    The threads are daemons: one that hangs does not keep the process from ending.
    """

    def __init__(self, ask: Callable[[], T]) -> None:
        self._ask = ask
        self._lock = threading.Lock()
        self._open: Future[T] | None = None

    def begin(self) -> Future[T]:
        """Ask, and answer with where the answer will be."""
        with self._lock:
            if self._open is None or self._open.done():
                self._open = Future()
                threading.Thread(target=self._run, args=(self._open,), name="probe", daemon=True).start()
            return self._open

    def _run(self, answer: Future[T]) -> None:
        try:
            answer.set_result(self._ask())
        except Exception as problem:  # noqa: BLE001 - it is raised again where somebody waits for the answer
            answer.set_exception(problem)
        finally:
            connections.close_all()
