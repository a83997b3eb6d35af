"""What breaks in the lab: switches that can be turned at run time, by a scenario, over HTTP or on the lab's page.

The model asks for a switch where it acts (``faults.number("fargate_capacity", slug)``), so a fault has no code of its
own beside the line that it changes. A switch of one application may be set for that one or, under the slug "", for all.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

Value = bool | float | tuple[str, ...]
Kind = Literal["flag", "number", "names"]
Scope = Literal["application", "account"]


class FaultError(Exception):
    """A switch that does not exist, or a value that it does not take; the message says what is allowed."""


@dataclass(frozen=True)
class Switch:
    """One thing that can break. ``meaning`` completes "While it is on, …"; a number's ``unit`` says what it counts."""

    name: str
    kind: Kind
    scope: Scope
    title: str
    meaning: str
    unit: str = ""


SWITCHES = (
    Switch(
        "fargate_capacity",
        "number",
        "application",
        "Fargate without capacity",
        "no more tasks than this can be placed; the service's events say so",
        "tasks",
    ),
    Switch(
        "tasks_start_slowly",
        "number",
        "application",
        "Tasks start slowly",
        "a new task is this much longer in PROVISIONING",
        "seconds",
    ),
    Switch(
        "tasks_never_healthy",
        "flag",
        "application",
        "Tasks never get healthy",
        "new tasks run but fail the load balancer's health checks",
    ),
    Switch(
        "tasks_do_not_start",
        "flag",
        "application",
        "Tasks do not start",
        "the container of a new task exits at once",
    ),
    Switch(
        "tasks_die_on_traffic",
        "number",
        "application",
        "Tasks die on traffic",
        "a task's container exits after this many requests",
        "requests",
    ),
    Switch(
        "function_errors",
        "number",
        "application",
        "Lambda fails",
        "so many of a hundred invocations fail, which the load balancer answers with 502",
        "percent",
    ),
    Switch(
        "metrics_missing",
        "flag",
        "application",
        "Metrics missing",
        "the function publishes no metrics, as an idle one does",
    ),
    Switch("api_throttled", "flag", "account", "API throttling", "every API's bucket is kept empty by somebody else"),
    Switch(
        "api_outage",
        "names",
        "account",
        "API outage",
        'calls of these services are answered with 503 ("all" names every service)',
    ),
    Switch(
        "api_denied",
        "names",
        "account",
        "Permissions missing",
        "these IAM actions are denied, such as ecs:UpdateService",
    ),
    Switch("api_latency", "number", "account", "Slow API", "every call takes this much longer", "seconds"),
    Switch(
        "api_silent",
        "names",
        "account",
        "API does not answer",
        'calls of these services get no answer and have no effect ("all" names every service)',
    ),
    Switch(
        "api_answer_lost",
        "names",
        "account",
        "Answer lost after a write",
        "these IAM actions take effect and the connection then closes without an answer",
    ),
    Switch(
        "events_duplicated",
        "number",
        "account",
        "Duplicate events",
        "every event is delivered this many more times with the same id",
        "times",
    ),
    Switch("events_late", "number", "account", "Late events", "every event is delivered this much later", "seconds"),
    Switch(
        "events_reordered",
        "flag",
        "account",
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


def _read(switch: Switch, value: object) -> Value | None:
    """The value as the switch keeps it, None for off."""
    if value is None or value is False or value in ("", []):
        return None
    if switch.kind == "flag" and value is True:
        return True
    if switch.kind == "number" and isinstance(value, int | float) and not isinstance(value, bool) and value >= 0:
        return float(value)
    if switch.kind == "names" and isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return tuple(value)
    takes = {"flag": "true or false", "number": f"a number of {switch.unit}, 0 or more", "names": "a list of names"}
    raise FaultError(f"{switch.name} takes {takes[switch.kind]}, not {value!r}.")
