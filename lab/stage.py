"""What is played in the running lab: a scenario, if any, and the load that clients are asked to send."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from lab.cloud import Cloud
from lab.director import Director
from lab.ending import judge_world
from lab.scenario import NAMES, LoadTable, Scenario, ScenarioError, parse, shipped
from lab.tables import TableError, read_table

NO_LOAD = LoadTable(0.0)


class StageError(Exception):
    """What was asked for cannot be played; the message is a sentence."""


class Stage:
    """One scenario at a time. ``loads`` is what whoever follows the stage sends, by application."""

    def __init__(self, cloud: Cloud) -> None:
        self.loads: dict[str, LoadTable] = {}
        self._cloud = cloud
        self._director: Director | None = None

    def play(self, given: Mapping[str, Any], now: float) -> None:
        """Starts ``{"name"}`` of a shipped scenario or ``{"toml"}`` of another one. Raises StageError."""
        scenario = _scenario(given)
        if scenario.application not in self._cloud.applications:
            raise StageError(f"There is no application {scenario.application!r} in this lab.")
        if self._director and not self._director.ended:
            raise StageError(f"{self._director.scenario.title!r} is being played: stop it first.")
        self._director = Director(scenario, self._cloud, self.loads.__setitem__, now)

    def stop(self) -> None:
        """Ends the scenario where it is and mends what it broke; the load goes on as it is."""
        self._cloud.faults.clear()
        self._director = None

    def set_load(self, given: Mapping[str, Any]) -> None:
        """Takes ``{"application", "rate", "slow_percent"}``. Raises StageError."""
        slug = given.get("application")
        if slug not in self._cloud.applications:
            raise StageError(f"There is no application {slug!r}; there are {', '.join(self._cloud.applications)}.")
        table = {key: value for key, value in given.items() if key != "application"}
        try:
            self.loads[str(slug)] = read_table(LoadTable, table, "the load")
        except TableError as error:
            raise StageError(str(error)) from error

    def advance(self, now: float) -> None:
        if self._director:
            self._director.advance(now)

    def fail(self, error: Exception, now: float) -> bool:
        """Ends the scenario because of an error, if one is being played: whether it was."""
        if self._director is None or self._director.ended:
            return False
        self._director.fail(error, now)
        return True

    def shown(self) -> dict[str, Any]:
        """The scenario with what was told and found, and the loads; times in epoch seconds."""
        loads = {slug: asdict(each) for slug, each in self.loads.items()}
        return {"loads": loads, "scenario": _shown(self._director) if self._director else None}


def catalogue() -> list[dict[str, str]]:
    """The shipped scenarios with their stories."""
    scenarios = {name: shipped(name) for name in NAMES}
    return [{"name": name, "title": each.title, "story": each.story} for name, each in scenarios.items()]


def read_body(body: bytes) -> dict[str, Any]:
    """A JSON object. Raises StageError."""
    try:
        given = json.loads(body or b"{}")
    except ValueError as error:
        raise StageError(f"The body is not JSON: {error}.") from error
    if not isinstance(given, dict):
        raise StageError("The body must be a JSON object.")
    return given


def _scenario(given: Mapping[str, Any]) -> Scenario:
    name, text = given.get("name"), given.get("toml")
    if isinstance(name, str) == isinstance(text, str):
        raise StageError('The body must be {"name": one of the shipped scenarios} or {"toml": the text of another}.')
    try:
        return shipped(name) if isinstance(name, str) else parse(str(text), "the scenario")
    except ScenarioError as error:
        raise StageError(str(error)) from error


def _shown(director: Director) -> dict[str, Any]:
    scenario = director.scenario
    found = judge_world(scenario.end, director.application, director.positions, missed=director.missed)
    return {
        "title": scenario.title,
        "story": scenario.story,
        "application": scenario.application,
        "started": director.started,
        "waiting_for": director.waiting_for,
        "ended": director.ended,
        "told": [asdict(each) for each in director.told],
        "findings": [asdict(each) for each in found] if director.ended else [],
        "may_lose": scenario.end.may_lose,
        "clean_phases": scenario.end.clean_phases,
        "deadline_seconds": scenario.deadline_seconds,
    }
