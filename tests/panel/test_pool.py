"""Threads that keep time limits."""

import select
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from celery.exceptions import SoftTimeLimitExceeded

from panel.pool import Limits, Pool

PATIENCE = 20


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


class Task:
    """Begins, works until it is told to end or is interrupted, and ends."""

    def __init__(self, limits: Limits, soft: float, hard: float) -> None:
        self.begun, self.over, self.stubborn = threading.Event(), threading.Event(), False
        self.said: list[str] = []
        self._limits, self._soft, self._hard = limits, soft, hard
        self._thread = threading.Thread(target=self._work)
        self._thread.start()
        assert self.begun.wait(PATIENCE)

    def _work(self) -> None:
        run = self._limits.begin("a.task", self._soft, self._hard)
        try:
            self.begun.set()
            while not self.over.is_set():
                self.over.wait(0.001)
        except SoftTimeLimitExceeded:
            self.said.append("interrupted")
            if self.stubborn:
                self.over.wait(PATIENCE)
        finally:
            self._limits.end(run)

    def end(self) -> list[str]:
        self.over.set()
        return self.joined()

    def joined(self) -> list[str]:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        return self.said


def test_a_task_that_overruns_its_soft_limit_is_interrupted_and_no_other(clock: Clock) -> None:
    limits = Limits(2, clock=clock)
    slow, patient = Task(limits, 5, 10), Task(limits, 50, 100)
    clock.now += 5
    limits.look()
    assert slow.joined() == ["interrupted"]
    assert patient.end() == []


def test_nothing_is_interrupted_before_its_time_or_once_it_is_over(clock: Clock) -> None:
    limits = Limits(1, clock=clock)
    task = Task(limits, 5, 10)
    clock.now += 4.9
    limits.look()
    assert task.end() == []
    clock.now += 100
    limits.look()


def test_a_worker_whose_threads_all_hang_ends(clock: Clock) -> None:
    ends: list[str] = []
    limits = Limits(2, give_up=lambda: ends.append("ended"), clock=clock)
    tasks = [Task(limits, 5, 10), Task(limits, 6, 11)]
    for task in tasks:
        task.stubborn = True
    clock.now += 10
    limits.look()
    assert ends == []
    clock.now += 1
    limits.look()
    assert ends == ["ended"]
    assert [task.end() for task in tasks] == [["interrupted"]] * 2


@pytest.fixture
def pool() -> Iterator[Pool]:
    pool = Pool(1)
    pool.start()
    yield pool
    pool.stop()


def outcome_of(pool: Pool, target: Callable[..., Any], **limits: float) -> Any:
    answers: list[Any] = []
    pool.apply_async(target, args=("a.task",), callback=answers.append, **limits).wait(PATIENCE)
    return answers


def until_interrupted(_: str) -> str:
    try:
        while True:
            threading.Event().wait(0.001)
    except SoftTimeLimitExceeded:
        return "cleaned up"


def test_the_pool_interrupts_a_task_and_takes_the_next(pool: Pool) -> None:
    assert outcome_of(pool, until_interrupted, soft_timeout=0.05) == ["cleaned up"]
    assert outcome_of(pool, lambda name: name, soft_timeout=0.05) == ["a.task"]


def test_an_interruption_that_nobody_caught_is_a_failure_that_frees_the_place(pool: Pool) -> None:
    def overrun(_: str) -> None:
        raise SoftTimeLimitExceeded

    [(failed, said, _)] = outcome_of(pool, overrun)
    assert failed
    assert said.type is SoftTimeLimitExceeded
    assert outcome_of(pool, lambda name: name) == ["a.task"]


def test_the_loop_turns_when_a_place_is_free(pool: Pool) -> None:
    """With its prefetch used up it would ask the broker for more only at its next turn."""
    turned = threading.Event()

    class Hub:
        def add_reader(self, reader: int, callback: Callable[..., Any], *args: Any) -> None:
            def turn() -> None:
                select.select([reader], [], [], PATIENCE)
                assert callback(*args)
                turned.set()

            threads.submit(turn)

    with ThreadPoolExecutor(1) as threads:
        pool.register_with_event_loop(Hub())
        outcome_of(pool, lambda name: name)
        assert turned.wait(PATIENCE)
