"""Group commit: what arrives while something else is being stored waits for it, and is then stored together.

A transaction costs about the same for one event as for twenty, so a flood makes groups larger instead of making
everybody slower. There is no thread for it: of those who wait, whoever gets the turn first works for all.

    A  |--- stores A ---|
    B     |.. waits ....|--- stores B, C and D ---|
    C        |.. waits .......................... |
    D            |.. waits ...................... |
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


@dataclass(eq=False)
class _Ticket(Generic[T, R]):
    item: T
    answer: R | Exception | None = field(default=None)


class Together(Generic[T, R]):
    """`work` takes items, at most `most` of them, and answers for each, in their order, with a result or an exception.

    What `work` raises is everybody's answer.
    """

    def __init__(self, work: Callable[[Sequence[T]], Sequence[R | Exception]], most: int) -> None:
        self._work = work
        self._most = most
        self._waiting: list[_Ticket[T, R]] = []
        self._turn = threading.Lock()

    def __call__(self, item: T, patience: float) -> R:
        """The answer for `item`, which it may share the work for with others. Raises TimeoutError after `patience`
        seconds of waiting for a turn, and what `work` raised or answered with.
        """
        ticket = _Ticket[T, R](item)
        self._waiting.append(ticket)
        while ticket.answer is None:
            self._take_turn(ticket, patience)
        if isinstance(ticket.answer, Exception):
            raise ticket.answer
        return ticket.answer

    def _take_turn(self, ticket: _Ticket[T, R], patience: float) -> None:
        if not self._turn.acquire(timeout=patience):
            raise TimeoutError("Others have been at work for too long.")
        try:
            if ticket.answer is None:
                self._answer(self._next())
        finally:
            self._turn.release()

    def _next(self) -> list[_Ticket[T, R]]:
        """Only whoever has the turn removes; others append meanwhile."""
        tickets = self._waiting[: self._most]
        del self._waiting[: len(tickets)]
        return tickets

    def _answer(self, tickets: list[_Ticket[T, R]]) -> None:
        try:
            answers = self._work([ticket.item for ticket in tickets])
        except Exception as problem:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
            answers = [problem] * len(tickets)
        for ticket, answer in zip(tickets, answers, strict=True):
            ticket.answer = answer
