"""What somebody or something does to an application once: for scenarios and for the lab's page.

A switch (``lab.faults``) lasts until it is turned off; an accident has happened when its function returns. Every
function takes the world, an application's slug, the time and plain values, and raises AccidentError, a sentence.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, get_args

from lab.actions import accept
from lab.alarms import AnyAlarm
from lab.alb import Actions, Rule, forward_weights
from lab.api.mute_rules import put_alarm_mute_rule
from lab.application import Application
from lab.errors import AwsError
from lab.mute_rules import expression_at
from lab.task_life import too_slow
from lab.tasks import EXITING_IMAGE, RUNNING, Task
from lab.world import World

Broken = Literal["", "exits", "unhealthy"]
StateName = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]


class AccidentError(Exception):
    """It cannot happen; the message says why and what can."""


def set_weights(
    world: World, slug: str, now: float, *, lambda_: int, ecs: int, third: int | None = None, path: str = ""
) -> None:
    """Somebody changes a route's weights by hand: the default action, or the rule for ``path``.

    ``third`` is the third group's weight, left as it is where None.
    """
    application = _application(world, slug)
    rule = _rule(application, path)
    weights = {application.lambda_group.arn: lambda_, application.ecs_group.arn: ecs}
    if third is not None:
        if application.third_group is None:
            raise AccidentError(f"{slug} has no third target group; give it [applications.{slug}.third_group].")
        weights[application.third_group.arn] = third
    missing = set(weights) - set(forward_weights(rule.actions))
    if missing:
        raise AccidentError(f"The route does not forward to {', '.join(sorted(missing))} (any more).")
    with _sentences():
        actions = accept(_with_weights(rule.actions, weights), rule.actions, world.groups)
    application.load_balancer.write(rule, actions, now)


def deploy(world: World, slug: str, now: float, *, broken: Broken = "") -> None:
    """Somebody deploys a new revision: a good one, one that ``exits`` at once, or one that stays ``unhealthy``."""
    application = _application(world, slug)
    if broken not in get_args(Broken):
        raise AccidentError(f'A release is broken as "exits" or "unhealthy", or not at all (""), not as {broken!r}.')
    service = application.service
    image = EXITING_IMAGE if broken == "exits" else service.definition.image
    slow = too_slow(service.group.health_check.timeout) if broken == "unhealthy" else {}
    with _sentences():
        service.check_active()
        variables, tags = {**service.definition.variables, **slow}, service.definition.tags
        service.deploy(world.task_definitions.register(slug, image, variables, now, tags), now)


def kill_task(world: World, slug: str, _now: float, *, task: str = "") -> str:
    """The container of a task ends: of the one named, else of the oldest that runs. Returns the task's id."""
    service = _application(world, slug).service
    running = [each for each in service.counted(RUNNING) if task in {"", each.id}]
    if not running:
        raise AccidentError(f"No task of {slug} runs{f' as {task!r}' if task else ''}: there is nothing to kill.")
    victim: Task = min(running, key=lambda each: each.created)
    service.life.containers.kill(victim.id)
    return victim.id


def set_desired_count(world: World, slug: str, _now: float, *, count: int) -> None:
    """Somebody changes the service's desired count."""
    service = _application(world, slug).service
    if count < 0:
        raise AccidentError(f"A desired count is 0 or more, not {count}.")
    with _sentences():
        service.set_desired(count)


def set_bounds(world: World, slug: str, now: float, *, minimum: int, maximum: int) -> None:
    """Somebody registers the scalable target anew, which moves the desired count into the bounds."""
    service = _application(world, slug).service
    if minimum < 0:
        raise AccidentError(f"A minimum is 0 or more, not {minimum}.")
    with _sentences():
        world.scalable_targets.register(service, minimum, maximum, now)


def remove_bounds(world: World, slug: str, _now: float) -> None:
    """Somebody deregisters the scalable target; the desired count stays."""
    with _sentences():
        world.scalable_targets.deregister(_application(world, slug).service.resource_id)


def delete_service(world: World, slug: str, _now: float) -> None:
    """Somebody deletes the service: it drains, then it is INACTIVE for good."""
    _application(world, slug).service.delete()


def set_reserved_concurrency(world: World, slug: str, _now: float, *, reserved: int | None) -> None:
    """Somebody changes the function's reserved concurrency; None takes it away, 0 stops the function."""
    function = _application(world, slug).function
    if reserved is None:
        function.reserved = None
        return
    if reserved < 0:
        raise AccidentError(f"A reserved concurrency is 0 or more, not {reserved}.")
    with _sentences():
        world.functions.reserve(function, reserved)


def set_alarm_actions(world: World, slug: str, _now: float, *, alarm: str, enabled: bool) -> None:
    """Somebody switches an alarm's actions off or on; it goes on being evaluated."""
    _check_alarm(_application(world, slug), alarm)
    world.alarm(alarm).actions_enabled = enabled


def mute_alarm(world: World, slug: str, now: float, *, alarm: str, minutes: int) -> None:
    """Somebody mutes an alarm's actions from this minute on, by a mute rule of the alarm's name."""
    _check_alarm(_application(world, slug), alarm)
    schedule = {"Expression": expression_at(now), "Duration": f"PT{minutes}M"}
    given = {"Name": alarm, "Rule": {"Schedule": schedule}, "MuteTargets": {"AlarmNames": [alarm]}}
    with _sentences():
        put_alarm_mute_rule(world, given, now)


def set_alarm_state(
    world: World, slug: str, now: float, *, alarm: str, state: StateName, reason: str = "By hand"
) -> None:
    """Somebody sets an alarm's state, which holds until its next evaluation."""
    _check_alarm(_application(world, slug), alarm)
    with _sentences():
        world.set_alarm_state(alarm, state, reason, None, now)


ACCIDENTS: dict[str, Callable[..., object]] = {
    each.__name__: each
    for each in (
        set_weights,
        deploy,
        kill_task,
        set_desired_count,
        set_bounds,
        remove_bounds,
        delete_service,
        set_reserved_concurrency,
        set_alarm_actions,
        mute_alarm,
        set_alarm_state,
    )
}


@contextmanager
def _sentences() -> Iterator[None]:
    """What AWS refuses, said by an AccidentError."""
    try:
        yield
    except AwsError as error:
        raise AccidentError(f"AWS refuses it ({error.code}): {error.message}") from error


def _application(world: World, slug: str) -> Application:
    if slug not in world.applications:
        raise AccidentError(f"There is no application {slug!r}; there are {', '.join(world.applications)}.")
    return world.applications[slug]


def _rule(application: Application, path: str) -> Rule:
    rules = {rule.paths[0] if rule.paths else "": rule for rule in application.listener.rules}
    if path not in rules:
        known = ", ".join(each or '"" (the default action)' for each in rules)
        raise AccidentError(f"{application.slug} has no rule for {path!r}; there are {known}.")
    return rules[path]


def _with_weights(actions: Actions, weights: dict[str, int]) -> Actions:
    """The action list with these weights. What is no forward, and what it has besides, stays."""
    return [_reweighted(action, weights) if action["Type"] == "forward" else action for action in actions]


def _reweighted(action: dict[str, Any], weights: dict[str, int]) -> dict[str, Any]:
    config = action["ForwardConfig"]
    groups = [
        {**group, "Weight": weights.get(group["TargetGroupArn"], group["Weight"])} for group in config["TargetGroups"]
    ]
    return {**action, "ForwardConfig": {**config, "TargetGroups": groups}}


def _check_alarm(application: Application, name: str) -> None:
    alarms: list[AnyAlarm] = [*application.alarms, *application.composite_alarms]
    known = [each.settings.name for each in alarms]
    if name not in known:
        raise AccidentError(f"{application.slug} has no alarm {name!r}; there are {', '.join(known) or 'none'}.")
