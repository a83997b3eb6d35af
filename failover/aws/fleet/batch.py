"""One question about many names, asked in batches: what fails, fails for the names of its batch alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from failover.aws.batches import chunks
from failover.aws.errors import FAILURES, translate
from failover.aws.fleet.pace import PacedOutError
from failover.ports import AwsError, Clock

V = TypeVar("V")

FEWEST = 20  # a batch this small is never too large for AWS


@dataclass
class Batch(Generic[V]):
    """`found` and `failed` by name; `asked` is when each name was asked for.

    A name that is not in `asked` waits for the next time: nothing new is known of it.
    """

    found: dict[str, V] = field(default_factory=dict)
    failed: dict[str, Exception] = field(default_factory=dict)
    asked: dict[str, float] = field(default_factory=dict)

    def asked_at(self, names: Iterable[str]) -> float:
        """When the first of these was asked for: an answer made of them all is as old as that."""
        return min(self.asked[name] for name in names)

    def covers(self, names: Iterable[str]) -> bool:
        return all(name in self.asked for name in names)

    def failure(self, names: Iterable[str]) -> Exception | None:
        return next((self.failed[name] for name in names if name in self.failed), None)


class Asker:
    """Asks in batches of a size that AWS takes. Where AWS names no largest size, it is found out and kept.

    Once the clock shows `until` it asks nothing more.
    """

    def __init__(self, clock: Clock) -> None:
        self.until = float("inf")
        self._clock = clock
        self._sizes: dict[str, int] = {}

    @property
    def in_time(self) -> bool:
        return self._clock() < self.until

    def ask(
        self, what: str, names: Iterable[str], size: int, read: Callable[[Sequence[str]], dict[str, V]]
    ) -> Batch[V]:
        """`read` answers for at most `size` names. `what` names the question, so that its size is remembered."""
        batch: Batch[V] = Batch()
        for some in chunks(list(dict.fromkeys(names)), self._sizes.get(what, size)):
            self._once(batch, some, read)
        return batch

    def ask_divided(
        self, what: str, names: Iterable[str], size: int, read: Callable[[Sequence[str]], dict[str, V]]
    ) -> Batch[V]:
        """The same where one name that does not exist, or too many names, fail the whole call: halves tell which."""
        batch: Batch[V] = Batch()
        for some in chunks(list(dict.fromkeys(names)), self._sizes.get(what, size)):
            self._divide(batch, what, some, read)
        return batch

    def _divide(
        self, batch: Batch[V], what: str, names: Sequence[str], read: Callable[[Sequence[str]], dict[str, V]]
    ) -> None:
        self._once(batch, names, read)
        failure = batch.failed.get(names[0])
        kind = failure_kind(failure) if failure else ""
        if kind not in ("missing", "invalid") or len(names) == 1:
            return
        half = (len(names) + 1) // 2
        if kind == "invalid" and len(names) > FEWEST:
            self._sizes[what] = max(FEWEST, half)
        for some in chunks(names, half):
            for name in some:
                batch.failed.pop(name, None)
            self._divide(batch, what, some, read)

    def _once(self, batch: Batch[V], names: Sequence[str], read: Callable[[Sequence[str]], dict[str, V]]) -> None:
        if not self.in_time:
            return
        asked = self._clock()
        try:
            batch.found.update(read(names))
        except PacedOutError:
            return
        except (*FAILURES, AwsError) as error:
            batch.failed.update(dict.fromkeys(names, error))
        batch.asked.update(dict.fromkeys(names, asked))


def failure_kind(error: Exception) -> str:
    return error.kind if isinstance(error, AwsError) else translate(error, "", "").kind
