"""What the model asks of the world outside: processes, probes and HTTP calls.

The runtime answers with real processes and sockets; a test answers with fakes in virtual time. Nothing here
blocks: an answer that takes time arrives through the ``done`` callback, together with the time of its arrival.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol


class Containers(Protocol):
    """Runs the container of an ECS task, named by the task's id."""

    def start(self, task_id: str, address: str, environment: Mapping[str, str]) -> None: ...

    def exit_status(self, task_id: str) -> int | None:
        """None while the container runs."""

    def terminate(self, task_id: str) -> None: ...

    def kill(self, task_id: str) -> None: ...


class Environments(Protocol):
    """Runs Lambda execution environments."""

    def start(self, environment_id: str, function_name: str) -> None: ...

    def alive(self, environment_id: str) -> bool: ...

    def stop(self, environment_id: str) -> None: ...


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
