"""Many names in few calls."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TypeVar

T = TypeVar("T")


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items in order, at most `size` at a time; nothing for none."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
