"""How the model reaches HTTP; ``lab.ecs`` and ``lab.lambda_`` have the ports for containers and environments.

The runtime answers with real sockets, ``lab.virtual`` with fakes. Nothing here blocks: an answer arrives through the
``done`` callback, together with the time of its arrival.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Answer:
    """An HTTP answer; ``status`` is None when there was none, and ``error`` says why."""

    status: int | None
    at: float
    error: str = ""
    retry_after: float | None = None


class Http(Protocol):
    """Sends one HTTP request and reports its answer, never a retry."""

    def get(self, url: str, headers: Mapping[str, str], timeout: float, done: Callable[[Answer], None]) -> None: ...

    def post(
        self, url: str, headers: Mapping[str, str], body: bytes, timeout: float, done: Callable[[Answer], None]
    ) -> None: ...
