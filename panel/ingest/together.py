"""Group commit: what arrives while something else is being stored waits for it, and is then stored together.

A transaction costs about the same for one event as for twenty, so a flood makes groups larger instead of making
everybody slower. There is no thread for it: of those who wait, whoever gets the turn first works for all. Where the
group before had company, this one waits a moment for its own: a lone item never waits.

    A  |--- stores A ---|
    B     |.. waits ....|--- stores B, C and D ---|
    C        |.. waits .......................... |
    D            |.. waits ...................... |
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

COMPANY_SECONDS = 0.02

T = TypeVar("T")
R = TypeVar("R")


@dataclass(eq=False)
class _Ticket(Generic[T, R]):
    item: T
    answer: R | Exception | None = None
    leads: bool = False
    news: threading.Event = field(default_factory=threading.Event)


class Together(Generic[T, R]):
    """`work` takes items, at most `most` of them, and answers for each, in their order, with a result or an exception.

    What `work` raises is everybody's answer.
    """

    def __init__(
        self,
        work: Callable[[Sequence[T]], Sequence[R | Exception]],
        most: int,
        wait_for_company: Callable[[], None] = lambda: time.sleep(COMPANY_SECONDS),
    ) -> None:
        self._work = work
        self._most = most
        self._wait_for_company = wait_for_company
        self._had_company = False
        self._waiting: list[_Ticket[T, R]] = []
        self._somebody_leads = False
        self._changing = threading.Lock()

    def __call__(self, item: T, patience: float) -> R:
        """The answer for `item`, which it may share the work for with others.

        Raises TimeoutError where its turn did not come within `patience` seconds, or the answer within twice as many
        from then on, and what `work` raised or answered with.
        """
        ticket = _Ticket[T, R](item)
        self._queue(ticket)
        if not ticket.news.wait(patience) and not self._gave_up(ticket):
            ticket.news.wait(2 * patience)
        if ticket.leads:
            self._lead(ticket)
        if isinstance(ticket.answer, Exception):
            raise ticket.answer
        if ticket.answer is None:
            raise TimeoutError("Others have been at work for too long.")
        return ticket.answer

    def _queue(self, ticket: _Ticket[T, R]) -> None:
        with self._changing:
            self._waiting.append(ticket)
            if not self._somebody_leads:
                self._somebody_leads = True
                _let_lead(ticket)

    def _gave_up(self, ticket: _Ticket[T, R]) -> bool:
        """Leave the queue. False: it was too late for that, the work is being done."""
        with self._changing:
            if ticket.leads or ticket not in self._waiting:
                return False
            self._waiting.remove(ticket)
            return True

    def _lead(self, ticket: _Ticket[T, R]) -> None:
        try:
            while ticket.answer is None:
                if self._had_company and len(self._waiting) < self._most:
                    self._wait_for_company()
                self._answer(self._next())
        finally:
            self._hand_over()

    def _next(self) -> list[_Ticket[T, R]]:
        with self._changing:
            tickets, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            self._had_company = len(tickets) > 1
        return tickets

    def _hand_over(self) -> None:
        with self._changing:
            if self._waiting:
                _let_lead(self._waiting[0])
            else:
                self._somebody_leads = False

    def _answer(self, tickets: list[_Ticket[T, R]]) -> None:
        try:
            answers = self._work([ticket.item for ticket in tickets])
        except Exception as problem:  # noqa: BLE001 - whoever waits must hear of it, whatever it is
            answers = [problem] * len(tickets)
        for ticket, answer in zip(tickets, answers, strict=True):
            ticket.answer = answer
            ticket.news.set()


def _let_lead(ticket: _Ticket[T, R]) -> None:
    ticket.leads = True
    ticket.news.set()
