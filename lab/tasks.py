"""Amazon ECS tasks: their definitions, their states, and what runs them.

Source: ECS Developer Guide, "Amazon ECS task lifecycle" and "Amazon ECS task definitions".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from lab.errors import AwsError

PROVISIONING, PENDING, RUNNING = "PROVISIONING", "PENDING", "RUNNING"
DEACTIVATING, STOPPING, STOPPED = "DEACTIVATING", "STOPPING", "STOPPED"

PORT = 8080
IMAGE = "api-service:lab"
# What a broken release looks like from outside: the container ends as soon as it is started.
EXITING_IMAGE = "api-service:exits"


class Containers(Protocol):
    """Runs a task's container, named by the task's id."""

    def start(self, task_id: str, address: str, image: str, environment: Mapping[str, str]) -> None: ...

    def exit_status(self, task_id: str) -> int | None:
        """None while the container runs."""

    def terminate(self, task_id: str) -> None: ...

    def kill(self, task_id: str) -> None: ...


class Addresses(Protocol):
    """Gives every task an address of its own, as awsvpc networking does."""

    def take(self) -> str | None:
        """None when there is no capacity for another task."""

    def give_back(self, address: str) -> None: ...


@dataclass(frozen=True)
class TaskDefinition:
    """One revision of a family; ``cpu`` in CPU units, ``memory`` in MiB, both as text, as ECS writes them.

    ``described`` is what DescribeTaskDefinition shows of one that a call registered, beside what the lab acts on.
    """

    arn: str
    family: str
    revision: int
    image: str
    variables: Mapping[str, str]
    registered: float
    cpu: str = "256"
    memory: str = "512"
    tags: Mapping[str, str] = field(default_factory=dict)
    described: Mapping[str, Any] = field(default_factory=dict)


class TaskDefinitions:
    """All revisions of all families; a family's newest is what its name alone means."""

    def __init__(self, arn_prefix: str) -> None:
        self._arn_prefix = arn_prefix
        self._families: dict[str, list[TaskDefinition]] = {}

    def register(
        self, family: str, image: str, variables: Mapping[str, str], now: float, tags: Mapping[str, str]
    ) -> TaskDefinition:
        return self.add(family, image, variables, now, tags=tags)

    def add(self, family: str, image: str, variables: Mapping[str, str], now: float, **rest: Any) -> TaskDefinition:
        """A revision that a call registers: `cpu`, `memory`, `tags` and what is `described` of it are the caller's."""
        revisions = self._families.setdefault(family, [])
        number = len(revisions) + 1
        revisions.append(
            TaskDefinition(f"{self._arn_prefix}{family}:{number}", family, number, image, variables, now, **rest)
        )
        return revisions[-1]

    def find(self, name_or_arn: str) -> TaskDefinition:
        """By ARN, ``family:revision`` or ``family``. Raises ClientException, as ECS does."""
        family, _, revision = name_or_arn.rpartition("/")[2].partition(":")
        for each in reversed(self._families.get(family, [])):
            if revision in {"", str(each.revision)}:
                return each
        raise AwsError("ClientException", "Unable to describe task definition.")


@dataclass(frozen=True)
class TaskSettings:
    """How long a task takes to start and to stop, in seconds; ``grace`` counts from RUNNING."""

    provisioning: float
    pending: float
    stop_timeout: float
    grace: float


@dataclass
class Task:
    """One task; ``desired`` is RUNNING or STOPPED, ``status`` where it is on the way."""

    id: str
    address: str
    created: float
    definition: TaskDefinition
    deployment: str
    provisioned: float
    status: str = PROVISIONING
    desired: str = RUNNING
    started: float | None = None
    stopping: float | None = None
    stopped: float | None = None
    reason: str = ""
    stop_code: str = ""
    killed: bool = False
    was_healthy: bool = False
    version: int = 1
    announced: tuple[str, str] = field(default=("", ""))

    @property
    def lives(self) -> bool:
        return self.status != STOPPED
