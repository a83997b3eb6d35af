"""One round of the service scheduler, over any mixture of tasks.

ECS Developer Guide, "Deploy Amazon ECS services by replacing tasks": minimumHealthyPercent 100 is the lower limit of
healthy tasks during a deployment, maximumPercent 200 the upper limit of all.
"""

from hypothesis import given
from hypothesis import strategies as st

from lab.rolling import next_round
from lab.tasks import PENDING, RUNNING, Task, TaskDefinition

DEFINITION = TaskDefinition("arn", "checkout", 1, "image", {}, 0.0)


def task(number, deployment, *, healthy):
    status = RUNNING if healthy else PENDING
    return Task(str(number), f"10.0.0.{number}", float(number), DEFINITION, deployment, 0.0, status=status)


TASKS = st.lists(st.tuples(st.sampled_from(["new", "old", "older"]), st.booleans()), max_size=12).map(
    lambda drawn: [task(number, deployment, healthy=healthy) for number, (deployment, healthy) in enumerate(drawn)]
)


def is_healthy(each):
    return each.status == RUNNING


@given(st.integers(0, 6), TASKS)
def test_healthy_tasks_do_not_fall_under_the_desired_count_because_of_a_round(desired, tasks):
    """minimumHealthyPercent 100; a surplus of new tasks may go at any time, down to the desired count."""
    step = next_round(desired, "new", tasks, may_launch=True, is_healthy=is_healthy)
    replaced = {each.id for each in step.replaced}
    left = sum(is_healthy(each) for each in tasks if each.id not in replaced)
    assert left >= min(desired, sum(map(is_healthy, tasks)))


@given(st.integers(0, 6), TASKS)
def test_a_round_starts_nothing_beyond_twice_the_desired_count(desired, tasks):
    """maximumPercent 200."""
    step = next_round(desired, "new", tasks, may_launch=True, is_healthy=is_healthy)
    assert step.start >= 0
    assert step.start == 0 or len(tasks) + step.start <= 2 * desired


@given(st.integers(0, 6), TASKS)
def test_a_failed_deployment_starts_nothing_and_replaces_nothing(desired, tasks):
    """Circuit breaker: a deployment that failed launches no new tasks, so what runs must go on."""
    step = next_round(desired, "new", tasks, may_launch=False, is_healthy=is_healthy)
    assert (step.start, list(step.replaced)) == (0, [])
    assert len(step.surplus) == max(0, len(tasks) - desired)


def test_a_task_that_does_not_run_yet_goes_before_the_newest_that_does():
    """Inferred: a scale-in costs the least when it takes what serves nobody."""
    tasks = [task(1, "new", healthy=True), task(2, "new", healthy=True), task(3, "new", healthy=False)]
    step = next_round(1, "new", tasks, may_launch=True, is_healthy=is_healthy)
    assert [each.id for each in step.surplus] == ["3", "2"]
