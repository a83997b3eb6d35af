"""What happened lately: how often each thing did, second by second, for two minutes."""

from collections import Counter
from collections.abc import Hashable, Iterator
from typing import Generic, TypeVar

KEPT_SECONDS = 120

Key = TypeVar("Key", bound=Hashable)


class Recent(Generic[Key]):
    """Counts of hashable things by the whole second in which they happened."""

    def __init__(self) -> None:
        self._seconds: dict[int, Counter[Key]] = {}

    def add(self, key: Key, at: float) -> None:
        second = int(at)
        if second not in self._seconds:
            self._seconds[second] = Counter()
            self._forget(second - KEPT_SECONDS)
        self._seconds[second][key] += 1

    def rows(self, since: float, until: float) -> Iterator[tuple[int, Key, int]]:
        """Second, thing and count of the seconds that began in [since, until)."""
        for second, counts in self._seconds.items():
            if since <= second < until:
                for key, count in counts.items():
                    yield second, key, count

    def total(self, since: float, until: float) -> Counter[Key]:
        """How often each thing happened in the seconds that began in [since, until)."""
        total: Counter[Key] = Counter()
        for _, key, count in self.rows(since, until):
            total[key] += count
        return total

    def _forget(self, before: int) -> None:
        for second in [each for each in self._seconds if each < before]:
            del self._seconds[second]
