"""From an alarm's event to the weights, where nothing of AWS is waited for: the panel, beside what one writes first.

What is left is the panel's own: webhook, database, broker, workers, the reading of AWS, the rules, the write.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import boto3

from bench import aws_script
from bench.configuration import application, environment, toml
from bench.deliveries import alarm_change
from bench.events import received
from bench.figures import Figure
from bench.installation import installation
from bench.naive import Naive
from bench.standing import ALARM, POLICY, Moved, moved, set_alarm, standing, until_silent
from lab.load import percentile
from lab.process import LabProcess
from stack.laboratory import laboratory

PANEL, NAIVE, SCRIPT = "the panel", "naive", "script of aws commands"
TRIALS = 20
FEWER_TRIALS = 5  # of what is only compared with
TIMES_ROUND_TRIPS, MOST_SECONDS_BEYOND = 2.0, 0.3
# The sweep that observes all applications at once would be among the calls of a failover.
UNDISTURBED = {"PANEL_OBSERVE_SECONDS": "30"}

# Given the lab: what is called with an application's slug when its alarm has changed.
Waking = Callable[[str], None]
Controller = Callable[[LabProcess, Path], AbstractContextManager[Waking]]


def measure(trials: int = TRIALS, fewer: int = FEWER_TRIALS) -> list[Figure]:
    """Each controller has a lab of its own, and each failover an application that was never failed over before."""
    figures = list(_figures(PANEL, _moves(_panel, trials)))
    figures += _figures(NAIVE, _moves(_naive, fewer))
    try:
        aws_script.installed()
    except aws_script.NoAwsError as problem:
        print(problem, file=sys.stderr)  # noqa: T201 - this command's output
    else:
        figures += _figures(SCRIPT, _moves(_script, fewer))
    return figures


def _moves(controller: Controller, trials: int) -> list[Moved]:
    slugs = [f"api-{number:02}" for number in range(trials)]
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        with standing(directory, slugs) as lab, controller(lab, directory) as wake:
            return [_move(lab, wake, slug) for slug in slugs]


def _move(lab: LabProcess, wake: Waking, slug: str) -> Moved:
    set_alarm(lab, slug)
    since = time.time()
    wake(slug)
    found = moved(lab, since)
    until_silent(lab)
    return found


@contextmanager
def _panel(lab: LabProcess, directory: Path) -> Iterator[Waking]:
    about = laboratory(lab.description)
    files = []
    for each in about.applications:
        files.append(directory / f"{each.slug}.toml")
        files[-1].write_text(toml(lab, POLICY, each.slug, lease=False), encoding="utf-8")
    with installation(directory, about.aws_environment() | UNDISTURBED, files) as panel:
        url = f"http://127.0.0.1:{panel.port}/webhooks/eventbridge"
        until_silent(lab)
        yield lambda slug: _post(url, panel.key, lab, slug)


@contextmanager
def _naive(lab: LabProcess, _directory: Path) -> Iterator[Waking]:
    """It is handed each event by the receiver that the comparison under load uses."""
    with environment(lab):
        ecs, elbv2 = boto3.client("ecs"), boto3.client("elbv2")
        by_alarm = {
            ALARM.format(each.slug): Naive(application(lab, POLICY, each.slug), ecs, elbv2, time.sleep, lambda: False)
            for each in laboratory(lab.description).applications
        }
        with received(lambda event: by_alarm[event["detail"]["alarmName"]].handle(event), None, 1.0) as url:
            yield lambda slug: _post(url, "", lab, slug)


@contextmanager
def _script(lab: LabProcess, _directory: Path) -> Iterator[Waking]:
    """Somebody starts it in the moment of the event."""
    modules, aws = aws_script.installed(), laboratory(lab.description).aws_environment()
    yield lambda slug: aws_script.fail_over(application(lab, POLICY, slug), modules, aws)


def _post(url: str, key: str, lab: LabProcess, slug: str) -> None:
    event = alarm_change(f"event-of-{slug}", lab.description["account"], lab.description["region"], ALARM.format(slug))
    headers = {"X-Api-Key": key, "Content-Type": "application/json"}
    asked = urllib.request.Request(url, json.dumps(event).encode(), headers)  # noqa: S310 - loopback
    with urllib.request.urlopen(asked, timeout=10):  # noqa: S310 - loopback
        pass


def _figures(name: str, moves: list[Moved]) -> Iterator[Figure]:
    """Of several round trips the median: a sweep that happens to fall into a failover must not widen its limit."""
    judged = name == PANEL
    better = "lower" if judged else ""
    trips = percentile([each.round_trips for each in moves], 50)
    slow = percentile([each.seconds for each in moves], 95)
    median = percentile([each.seconds for each in moves], 50)
    beyond = slow - TIMES_ROUND_TRIPS * trips
    yield Figure("times the AWS round trips in it, median", round(median / trips, 2), of=name, better=better)
    yield Figure("AWS calls in it, median", percentile([each.calls for each in moves], 50), of=name, better=better)
    yield Figure("sum of their round trips, median", round(trips, 3), "s", of=name, better="")
    yield Figure("event to weights, median", round(median, 3), "s", of=name, better=better)
    yield Figure("event to weights, 95th percentile", round(slow, 3), "s", of=name, better=better)
    yield Figure(
        "… beyond twice the round trips", round(beyond, 3), "s", of=name, better=better,
        most=MOST_SECONDS_BEYOND if judged else None,
    )  # fmt: skip
    yield Figure("failovers", len(moves), of=name, better="")
