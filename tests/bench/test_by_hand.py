"""Every shipped scenario ends as its file says with the panel gone: a person at the command line, and nothing else.

The person looks at ``status`` every five seconds and does what the runbook says. Time is the lab's.
"""

import json
import time

import pytest

import failover.aws
from bench.simulate.clients import Unwatched, lease_client
from bench.simulate.play import Performance
from failover import __main__ as command
from failover import breakglass
from lab.scenario import NAMES, shipped

DONE, FAILED, USAGE, REFUSED, DEADLINE = range(5)
LOOK_SECONDS = 5
DWELL_SECONDS = 15
PATIENCE_SECONDS = 60

TOML = """
[application]
slug = "checkout"
name = "Checkout"
region = "eu-west-1"
alarms = {alarms}
lease_table = "failover-leases"
[lambda]
function_name = "checkout"
target_group_arn = "{on_lambda}"
[ecs]
cluster = "apis"
service = "checkout"
target_group_arn = "{on_ecs}"
[[routes]]
listener_arn = "{listener}"
[policy]
failover_count = 3
min_healthy = 2
step_seconds = 5
settle_seconds = 5
drain_seconds = 20
bake_seconds = 15
scale_deadline_seconds = 120
dwell_seconds = 15
cooldown_seconds = 20
metric_period_seconds = 5
"""


class Ended(BaseException):
    """The play is over, whatever the person is doing."""


class Person:
    """Sits at the terminal; ``did`` is what was typed and what it came to."""

    def __init__(self, performance, config, capsys):
        self.performance = performance
        self.did = []
        self._config = str(config)
        self._capsys = capsys
        self._calm_since = None
        self._waits_until = 0.0
        self._gave_up = False

    def look(self):
        """One look at the status, and what the runbook says to it."""
        assert self._type("status", "--json") in {DONE, FAILED}
        shown = json.loads(self._capsys.readouterr().out)
        states = {alarm["state"] for alarm in shown["alarms"]}
        now = self.performance.now()
        calm = states == {"OK"}
        self._calm_since = (self._calm_since or now) if calm else None
        if self._gave_up or now < self._waits_until:
            return
        if shown["position"] == "lambda" and "ALARM" in states:
            self._operate("failover", "the alarm fires")
        elif shown["position"] == "ecs" and shown["ecs"]["healthy"] == 0:
            self._operate("failback", "no task is healthy")
            self._waits_until = now + PATIENCE_SECONDS
        elif shown["position"] == "ecs" and calm and now - self._calm_since >= DWELL_SECONDS:
            self._operate("failback", "the alarms have been OK")

    def _operate(self, goal, reason):
        status = self._type(goal, "--reason", reason)
        self.did.append((round(self.performance.now() - self.performance.began), goal, reason, status))
        if status != DONE:
            self._waits_until = self.performance.now() + PATIENCE_SECONDS
        captured = self._capsys.readouterr()
        if "did not write" in captured.out:  # somebody else changes weights: find them before anything else
            self._gave_up = True

    def _type(self, *arguments):
        return command.main(["-c", self._config, *arguments])


@pytest.fixture
def person(monkeypatch, tmp_path, capsys, request):
    """At the command line of a scenario's lab, whose time passes while a command sleeps."""
    performance = Performance(shipped(request.param))
    lab, region = performance.lab, performance.application.region

    def sleep(seconds):
        lab.run(seconds)
        if performance.ended:
            raise Ended

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(time, "time", performance.now)
    monkeypatch.setattr(time, "sleep", sleep)
    monkeypatch.setattr(failover.aws, "connect", lambda _: performance.adapter)
    monkeypatch.setattr(failover.aws, "lease_client", lambda _: lease_client(lab, region, Unwatched()))
    monkeypatch.setattr(breakglass.signal, "signal", lambda *_: None)
    config = tmp_path / "checkout.toml"
    application = performance.application
    config.write_text(
        TOML.format(
            alarms=json.dumps(application.alarms),
            on_lambda=application.lambda_target_group_arn,
            on_ecs=application.ecs_target_group_arn,
            listener=application.routes[0].arn,
        )
    )
    return Person(performance, config, capsys)


@pytest.mark.parametrize("person", NAMES, indirect=True)
def test_it_ends_as_its_file_says(person):
    performance = person.performance
    try:
        while not performance.ended:
            person.look()
            performance.run(LOOK_SECONDS)
    except Ended:
        pass
    broken = [f"{each.name}: {each.seen}" for each in performance.findings() if not each.holds]
    told = [f"{m.at - performance.began:6.1f} {m.what}: {m.detail}" for m in performance.director.told]
    assert not broken, "\n".join([*broken, *told, *map(str, person.did)])
