"""What breaks in the lab: switches that can be turned at run time, by a scenario, over HTTP or on the lab's page.

The model asks for a switch where it acts (``faults.number("fargate_capacity", slug)``), so a fault has no code of its
own beside the line that it changes. A switch of one application may be set for that one or, under the slug "", for all.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeGuard

Value = bool | float | tuple[str, ...]
Kind = Literal["flag", "number", "names"]
Scope = Literal["application", "account"]
Group = Literal["tasks", "function", "api", "events"]


class FaultError(Exception):
    """A switch that does not exist, or a value that it does not take; the message says what is allowed."""


@dataclass(frozen=True)
class Switch:
    """One thing that can break. ``meaning`` completes "While it is on, …"; a number's ``unit`` says what it counts.

    ``proposed`` is a value that shows the effect: what the lab's page turns it on with.
    """

    name: str
    kind: Kind
    scope: Scope
    group: Group
    title: str
    meaning: str
    unit: str = ""
    proposed: Value = True


SWITCHES = (
    Switch(
        "fargate_capacity",
        "number",
        "application",
        "tasks",
        "Fargate without capacity",
        "no more tasks than this can be placed; the service's events say so",
        "tasks",
        1.0,
    ),
    Switch(
        "tasks_start_slowly",
        "number",
        "application",
        "tasks",
        "Tasks start slowly",
        "a new task is this much longer in PROVISIONING",
        "seconds",
        20.0,
    ),
    Switch(
        "tasks_never_healthy",
        "flag",
        "application",
        "tasks",
        "Tasks never get healthy",
        "new tasks run but fail the load balancer's health checks",
    ),
    Switch(
        "tasks_do_not_start",
        "flag",
        "application",
        "tasks",
        "Tasks do not start",
        "the container of a new task exits at once",
    ),
    Switch(
        "tasks_die_on_traffic",
        "number",
        "application",
        "tasks",
        "Tasks die on traffic",
        "a task's container exits after this many requests",
        "requests",
        40.0,
    ),
    Switch(
        "function_errors",
        "number",
        "application",
        "function",
        "Lambda fails",
        "so many of a hundred invocations fail, which the load balancer answers with 502",
        "percent",
        100.0,
    ),
    Switch(
        "metrics_missing",
        "flag",
        "application",
        "function",
        "Metrics missing",
        "the function publishes no metrics, as an idle one does",
    ),
    Switch(
        "api_throttled",
        "flag",
        "account",
        "api",
        "API throttling",
        "every API's bucket is kept empty by somebody else",
    ),
    Switch(
        "api_outage",
        "names",
        "account",
        "api",
        "API outage",
        'calls of these services are answered with 503 ("all" names every service)',
        proposed=("all",),
    ),
    Switch(
        "api_denied",
        "names",
        "account",
        "api",
        "Permissions missing",
        "these IAM actions are denied, such as ecs:UpdateService",
        proposed=("ecs:UpdateService",),
    ),
    Switch(
        "api_latency",
        "number",
        "account",
        "api",
        "Slow API",
        "every call takes this much longer",
        "seconds",
        2.0,
    ),
    Switch(
        "api_silent",
        "names",
        "account",
        "api",
        "API does not answer",
        'calls of these services get no answer and have no effect ("all" names every service)',
        proposed=("all",),
    ),
    Switch(
        "api_answer_lost",
        "names",
        "account",
        "api",
        "Answer lost after a write",
        "these IAM actions take effect and the connection then closes without an answer",
        proposed=("ecs:UpdateService", "elasticloadbalancing:ModifyListener"),
    ),
    Switch(
        "events_duplicated",
        "number",
        "account",
        "events",
        "Duplicate events",
        "every event is delivered this many more times with the same id",
        "times",
        2.0,
    ),
    Switch(
        "events_late",
        "number",
        "account",
        "events",
        "Late events",
        "every event is delivered this much later",
        "seconds",
        8.0,
    ),
    Switch(
        "events_reordered",
        "flag",
        "account",
        "events",
        "Reordered events",
        "an event waits until a later one was delivered, for two minutes at the most",
    ),
)
BY_NAME = {switch.name: switch for switch in SWITCHES}


class Faults:
    """The switches that are on. Off is the absence of a value."""

    def __init__(self) -> None:
        self._on: dict[tuple[str, str], Value] = {}

    def set(self, name: str, value: object, application: str = "") -> bool:
        """Turn a switch and answer whether it is on; None, false and an empty list turn it off.

        Raises FaultError and changes nothing.
        """
        switch = BY_NAME.get(name)
        if switch is None:
            raise FaultError(f"There is no switch {name!r}; there are {', '.join(BY_NAME)}.")
        if application and switch.scope == "account":
            raise FaultError(f"{name} breaks the whole account and takes no application.")
        read = _read(switch, value)
        if read is None:
            self._on.pop((name, application), None)
        else:
            self._on[name, application] = read
        return read is not None

    def clear(self) -> None:
        """Mend everything."""
        self._on.clear()

    def on(self) -> Iterator[tuple[Switch, str, Value]]:
        """Every switch that is on, with its application ("" for all) and value."""
        for (name, application), value in self._on.items():
            yield BY_NAME[name], application, value

    def flag(self, name: str, application: str = "") -> bool:
        return bool(self._on) and bool(self._value(name, application))

    def number(self, name: str, application: str = "") -> float | None:
        """None while the switch is off: 0 may mean something."""
        if not self._on:
            return None
        value = self._value(name, application)
        return float(value) if isinstance(value, int | float) else None

    def names(self, name: str) -> tuple[str, ...]:
        value = self._value(name, "")
        return value if isinstance(value, tuple) else ()

    def _value(self, name: str, application: str) -> Value | None:
        own = self._on.get((name, application))
        return own if own is not None else self._on.get((name, ""))


MOST = 1_000_000  # a million duplicates of an event, or seconds: more would only fill the memory


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST


def _read(switch: Switch, value: object) -> Value | None:
    """The value as the switch keeps it, None for off."""
    if value is None or value is False or value in ("", []):
        return None
    if switch.kind == "flag" and value is True:
        return True
    if switch.kind == "number" and _is_number(value):
        return float(value)
    if switch.kind == "names" and isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return tuple(value)
    takes = {"flag": "true or false", "number": f"a number of {switch.unit}, 0 or more", "names": "a list of names"}
    raise FaultError(f"{switch.name} takes {takes[switch.kind]}, not {value!r}.")
