"""One round of the service scheduler: which tasks to start and which to stop, pure.

With a minimum healthy percent of 100 and a maximum percent of 200: healthy tasks never fall under the desired count
because of a deployment, and never more than twice as many run. Source: ECS Developer Guide, "Deploy Amazon ECS services
by replacing tasks".
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lab.tasks import RUNNING, Task


@dataclass(frozen=True)
class Round:
    """``start`` tasks of the primary deployment; ``surplus`` exceeds the desired count, ``replaced`` are older."""

    start: int
    surplus: Sequence[Task]
    replaced: Sequence[Task]


def next_round(
    desired: int, primary: str, tasks: Sequence[Task], *, may_launch: bool, is_healthy: Callable[[Task], bool]
) -> Round:
    """What the scheduler does now; ``primary`` is the primary deployment's id."""
    wanted = [task for task in tasks if task.desired == RUNNING]
    if not may_launch:
        return Round(0, _surplus(wanted, desired), ())
    new = [task for task in wanted if task.deployment == primary]
    old = [task for task in wanted if task.deployment != primary]
    start = max(0, min(desired - len(new), 2 * desired - len(wanted)))
    spare = max(0, sum(map(is_healthy, wanted)) - desired)
    unhealthy = [task for task in old if not is_healthy(task)]
    healthy = [task for task in old if is_healthy(task)]
    return Round(start, _surplus(new, desired), unhealthy + healthy[:spare])


def _surplus(tasks: Sequence[Task], desired: int) -> Sequence[Task]:
    """Those that do not run yet go first, then the newest."""
    first_to_go = sorted(tasks, key=lambda task: (task.status == RUNNING, -task.created))
    return first_to_go[: max(0, len(tasks) - desired)]
