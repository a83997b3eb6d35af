"""A worker's pool: threads that keep time limits.

Tasks wait, for AWS, for the database, for receivers. A thread that waits costs next to nothing where a process costs
tens of megabytes. Celery's own pool of threads knows no time limits. Here SoftTimeLimitExceeded is raised in the thread
of a task that overruns its soft limit, as it would be in a process; one that is inside of a blocking call sees it when
that returns, and every call that we make has a time-out. No thread can be killed: of one that overruns its hard limit
the log says where it hangs, and where none is left the worker ends, so that whoever runs it starts it anew. What hung
and goes on later writes nothing, since its lease has run out.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from celery.concurrency.base import ExceptionInfo
from celery.concurrency.thread import TaskPool
from celery.exceptions import SoftTimeLimitExceeded

STUCK = 70  # EX_SOFTWARE of sysexits.h: the exit status of a worker whose threads all hang

log = structlog.get_logger(__name__)


@dataclass(eq=False)
class Run:
    """A task in its thread, and when it must end; inf for never."""

    task: str
    soft_at: float
    hard_at: float
    thread: int = field(default_factory=threading.get_ident)
    interrupted: bool = False
    hangs: bool = False


class Limits:
    """Watches the tasks of a pool with so many places."""

    def __init__(
        self,
        places: int,
        *,
        give_up: Callable[[], object] = lambda: os._exit(STUCK),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._places, self._give_up, self._clock = places, give_up, clock
        self._runs: set[Run] = set()
        self._changed = threading.Condition()

    def begin(self, task: str, soft: float | None, hard: float | None) -> Run:
        """The calling thread starts a task that may take so many seconds; None: as long as it likes."""
        now, never = self._clock(), float("inf")
        run = Run(task, now + (soft or never), now + (hard or never))
        with self._changed:
            self._runs.add(run)
            self._changed.notify()
        return run

    def end(self, run: Run) -> None:
        """Whatever else happens to the calling thread is not this task's."""
        with self._changed:
            self._runs.discard(run)
            if run.interrupted:
                _raise_in(run.thread, None)

    def watch(self) -> None:
        """Look whenever a limit may have been reached, for ever."""
        while True:
            with self._changed:
                self._changed.wait(self._seconds())
            self.look()

    def look(self) -> None:
        """Interrupt whatever overran its soft limit, and tell of what overran its hard one."""
        with self._changed:
            now = self._clock()
            for run in self._runs:
                if now >= run.soft_at and not run.interrupted:
                    run.interrupted = True
                    _raise_in(run.thread, SoftTimeLimitExceeded)
                if now >= run.hard_at and not run.hangs:
                    run.hangs = True
                    log.error("task_hangs", task=run.task, where=_where(run.thread))
            hanging = sum(run.hangs for run in self._runs)
        if hanging >= self._places:
            log.critical(
                "worker_gives_up", reason=f"All of its {self._places} threads hang; it ends to be started anew."
            )
            self._give_up()

    def _seconds(self) -> float | None:
        """Until the next limit; None while nothing runs that has one."""
        limits = [run.hard_at if run.interrupted else run.soft_at for run in self._runs if not run.hangs]
        return max(0.0, min(limits) - self._clock()) if limits and min(limits) < float("inf") else None


class Pool(TaskPool):  # type: ignore[misc]  # celery has no types
    """Celery's pool of threads, with limits, and quicker to ask for more."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._limits = Limits(self.limit)
        self._turned, self._turn = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        threading.Thread(target=self._limits.watch, name="time limits", daemon=True).start()

    def register_with_event_loop(self, hub: Any) -> None:
        """A worker takes no more tasks than it has places, and looks for a free one only when its loop turns."""
        hub.add_reader(self._turned, os.read, self._turned, 4096)

    def on_apply(self, target: Any, *given: Any, soft_timeout: Any = None, timeout: Any = None, **options: Any) -> Any:
        soft = soft_timeout or self.options.get("soft_timeout")
        hard = timeout or self.options.get("timeout")
        result = super().on_apply(partial(self._limited, target, soft, hard), *given, **options)
        result.f.add_done_callback(self._make_it_turn)
        return result

    def _limited(self, target: Any, soft: float | None, hard: float | None, *given: Any, **named: Any) -> Any:
        run = self._limits.begin(str(given[0]), soft, hard)
        try:
            return target(*given, **named)
        except SoftTimeLimitExceeded:  # just when the task was over: Celery's own handling of it has ended, too
            return True, ExceptionInfo(), 0.0
        finally:
            self._over(run)

    def _over(self, run: Run) -> None:
        try:
            self._limits.end(run)
        except SoftTimeLimitExceeded:  # in the moment before; it is raised once
            self._limits.end(run)

    def _make_it_turn(self, _: object) -> None:
        with suppress(BlockingIOError):  # full: it will turn
            os.write(self._turn, b"\0")


def _raise_in(thread: int, what: type[BaseException] | None) -> None:
    """Source: Python/C API, PyThreadState_SetAsyncExc. None takes back what was not raised yet."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(what) if what else None)


def _where(thread: int) -> str:
    frame = sys._current_frames().get(thread)  # noqa: SLF001 - the documented way to another thread's stack
    return "".join(traceback.format_stack(frame)[-6:]) if frame else "unknown"
