"""What one application costs a month, out of infra/prices.toml and of what it does.

python -m infra.costs                              prints the table of docs/costs.md
python -m infra.costs --set tasks=4 --set hours_on_ecs=30
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

PRICES = Path(__file__).with_name("prices.toml")
HOURS, MINUTES = 730, 43_800  # of a month
SERIES = 10  # that are read of an application in each metric period


@dataclass(frozen=True)
class Usage:
    """A month of one application; `hours_on_ecs` while tasks run, from their start to their end."""

    requests_millions: float = 10
    request_seconds: float = 0.1
    memory_gb: float = 0.5
    alb_lcus: float = 1
    failovers: float = 4
    hours_on_ecs: float = 8
    tasks: float = 2
    task_vcpu: float = 0.25
    task_gb: float = 0.5
    observations_a_minute: float = 12
    lambda_checks_a_minute: float = 2  # of the two nodes of the load balancer
    log_gb: float = 5


@dataclass(frozen=True)
class Item:
    """One line: `arithmetic` is how `dollars` come about."""

    what: str
    arithmetic: str
    dollars: float


def prices(path: Path = PRICES) -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


def serving(usage: Usage, price: dict[str, Any]) -> list[Item]:
    """What the API costs without any failover."""
    seconds = usage.requests_millions * 1e6 * usage.request_seconds * usage.memory_gb
    return [
        Item("Load balancer", f"{HOURS} h · {price['alb_hour']} + {HOURS} h · {usage.alb_lcus:g} LCU · "
             f"{price['alb_lcu_hour']}", HOURS * (price["alb_hour"] + usage.alb_lcus * price["alb_lcu_hour"])),
        Item("Lambda requests", f"{usage.requests_millions:g} M · {price['lambda_million_requests']}",
             usage.requests_millions * price["lambda_million_requests"]),
        Item("Lambda time", f"{usage.requests_millions:g} M · {usage.request_seconds:g} s · {usage.memory_gb:g} GB · "
             f"{price['lambda_gb_second']}", seconds * price["lambda_gb_second"]),
        Item("Logs", f"{usage.log_gb:g} GB · {price['logs_gb']}", usage.log_gb * price["logs_gb"]),
    ]  # fmt: skip


def protecting(usage: Usage, price: dict[str, Any]) -> list[Item]:
    """What a failover that is ready, and now and then one that happens, costs on top."""
    an_hour = usage.tasks * (usage.task_vcpu * price["fargate_vcpu_hour"] + usage.task_gb * price["fargate_gb_hour"])
    checks = usage.lambda_checks_a_minute * MINUTES / 1e6
    looks = usage.observations_a_minute * MINUTES / 1000
    events = usage.failovers * 50 / 1e6
    return [
        Item("Fargate, while tasks run", f"{usage.hours_on_ecs:g} h · {usage.tasks:g} · ({usage.task_vcpu:g} vCPU · "
             f"{price['fargate_vcpu_hour']} + {usage.task_gb:g} GB · {price['fargate_gb_hour']})",
             usage.hours_on_ecs * an_hour),
        Item("Health checks of the function", f"{checks:.2f} M · ({price['lambda_million_requests']} + 10⁶ · "
             f"{usage.request_seconds:g} s · {usage.memory_gb:g} GB · {price['lambda_gb_second']})",
             checks * (price["lambda_million_requests"]
                       + 1e6 * usage.request_seconds * usage.memory_gb * price["lambda_gb_second"])),
        Item("Alarms", f"4 · {price['alarm_month']}", 4 * price["alarm_month"]),
        Item("Metrics read", f"{SERIES} · {MINUTES / 1000:g} k · {price['metrics_thousand']}",
             SERIES * MINUTES / 1000 * price["metrics_thousand"]),
        Item("Alarms read", f"{looks:g} k · {price['cloudwatch_thousand_calls']}, shared by up to 100 alarms",
             looks * price["cloudwatch_thousand_calls"]),
        Item("Events to the panel", f"{usage.failovers:g} · 50 · {price['api_destination_million']} / 10⁶",
             events * price["api_destination_million"]),
        Item("The key's secret", f"1 · {price['secret_month']}", price["secret_month"]),
    ]  # fmt: skip


def controller(usage: Usage, price: dict[str, Any]) -> list[Item]:
    """controller.yaml: a function that looks each minute, and its lease."""
    runs, reads_and_writes = MINUTES / 1e6, MINUTES / 1e6
    seconds = MINUTES * 2 + usage.failovers * 1800
    return [
        Item("Lambda, every minute", f"{runs:.3f} M · {price['lambda_million_requests']} + {seconds:g} s · 0.5 GB · "
             f"{price['lambda_gb_second']}",
             runs * price["lambda_million_requests"] + seconds * 0.5 * price["lambda_gb_second"]),
        Item("Lease", f"{reads_and_writes:.3f} M · ({price['dynamodb_million_reads']} + 3 · "
             f"{price['dynamodb_million_writes']})",
             reads_and_writes * (price["dynamodb_million_reads"] + 3 * price["dynamodb_million_writes"])),
        Item("Alarms", f"2 · {price['alarm_month']}", 2 * price["alarm_month"]),
    ]  # fmt: skip


def markdown(usage: Usage, price: dict[str, Any]) -> str:
    parts = {
        "serving, failover or not": serving(usage, price),
        "being protected by the panel": protecting(usage, price),
        "a controller of its own (controller.yaml)": controller(usage, price),
    }
    lines = ["| a month | how it is computed | $ |", "| --- | --- | --: |"]
    for name, items in parts.items():
        lines += [f"| {each.what} | {each.arithmetic} | {each.dollars:.2f} |" for each in items]
        lines.append(f"| **{name}** | | **{sum(each.dollars for each in items):.2f}** |")
    return "\n".join(lines)


def usage_of(changes: Sequence[str]) -> Usage:
    """Raises ValueError with a sentence for what is no `name=number`."""
    names = {field.name for field in fields(Usage)}
    given: dict[str, float] = {}
    for each in changes:
        name, _, value = each.partition("=")
        if name not in names:
            raise ValueError(f"{name!r} is unknown. Known are: {', '.join(sorted(names))}.")
        try:
            given[name] = float(value)
        except ValueError:
            raise ValueError(f"{name} must be a number, not {value!r}.") from None
    return replace(Usage(), **given)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.costs", description="What one application costs a month.")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=NUMBER", help="another usage; repeatable")
    try:
        print(markdown(usage_of(parser.parse_args(arguments).set), prices()))  # noqa: T201
    except ValueError as error:
        parser.error(str(error))
    return 0


if __name__ == "__main__":
    sys.exit(main())
