"""Accounts in memory that answer as late as AWS does, and their applications in the panel's database."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.core.management import call_command

import failover.model
from failover.aws import clients
from failover.aws.adapter import Adapter
from failover.aws.clients import Clients, Readers
from panel.accounts.models import default_team
from panel.fleet import connections
from panel.fleet.models import Application
from tests.failover.aws.account import Account
from tests.failover.aws.answers import REGION

LATENCY_SECONDS = 0.05
FIRST_ACCOUNT = 100_000_000_001


@dataclass
class Distant(Account):  # type: ignore[misc]  # tests are not typed
    """Each call takes LATENCY_SECONDS. Metrics have a point a minute in whatever time is asked for."""

    def _answer(self, operation: str, given: dict[str, Any]) -> Any:
        time.sleep(LATENCY_SECONDS)
        return super()._answer(operation, given)

    def _GetMetricData(self, given: dict[str, Any]) -> dict[str, Any]:  # noqa: N802 - as the API names it
        minutes = range(int((given["EndTime"] - given["StartTime"]) / timedelta(minutes=1)))
        times = [datetime.fromtimestamp(given["EndTime"].timestamp() // 60 * 60 - 60 * each, UTC) for each in minutes]
        points = {"Timestamps": times, "Values": [1.0 + each % 7 for each in minutes], "StatusCode": "Complete"}
        asked = given["MetricDataQueries"]
        return {"MetricDataResults": [{"Id": each["Id"], "Label": each["Label"], **points} for each in asked]}


def role(account: str) -> str:
    return f"arn:aws:iam::{account}:role/failover"


def account_of(size: int, balancers: int) -> Distant:
    """So many idle applications on so many load balancers, as tests/failover/aws/test_fleet_calls.py has them."""
    account = Distant()
    for number in range(size):
        account.add(number % balancers + 1, default=number < balancers)
    return account


def fill(accounts: int, size: int, balancers: int) -> list[list[int]]:
    """The same applications in each account, told apart by the account's role. Answers with their rows' ids."""
    call_command("migrate", verbosity=0)
    team = default_team()
    return [_rows(str(FIRST_ACCOUNT + number), account_of(size, balancers), team) for number in range(accounts)]


def _rows(account: str, world: Distant, team: Any) -> list[int]:
    rows = [
        Application(
            slug=f"{each.slug}-{account}", name=each.name, team=team, region=REGION, account=account,
            document=_document(each, account),
        )
        for each in world.applications
    ]  # fmt: skip
    return [row.pk for row in Application.objects.bulk_create(rows)]


def _document(application: failover.model.Application, account: str) -> dict[str, Any]:
    named = {key: value for key, value in asdict(application).items() if isinstance(value, str)}
    top = {"slug": f"{application.slug}-{account}", "region": REGION, "alarms": list(application.alarms)}
    [route] = application.routes
    kind = "rule_arn" if ":listener-rule/" in route.arn else "listener_arn"
    return {
        "application": {**top, "role_arn": role(account)},
        "lambda": {
            "function_name": named["function_name"], "target_group_arn": named["lambda_target_group_arn"],
        },
        "ecs": {
            "cluster": named["cluster"], "service": named["service"],
            "target_group_arn": named["ecs_target_group_arn"],
        },
        "routes": [{kind: route.arn}],
    }  # fmt: skip


class StandIn:
    """AWS for this process from now on: accounts in memory, told apart by their role, each made when first asked."""

    def __init__(self, size: int, balancers: int) -> None:
        self._new = partial(account_of, size, balancers)
        self._accounts: dict[str, Distant] = {}
        self._clients: dict[str, Clients] = {}
        self._adapters: dict[str, Adapter] = {}
        clients.readers = self._readers  # the panel's own way to it is kept
        connections.connect = self._connect  # type: ignore[assignment]

    def asked(self) -> int:
        """How many calls were made."""
        return sum(sum(account.calls.values()) for account in self._accounts.values())

    def _account(self, application: failover.model.Application) -> Distant:
        if application.role_arn not in self._accounts:
            self._accounts[application.role_arn] = self._new()
        return self._accounts[application.role_arn]

    def _readers(self, application: failover.model.Application) -> Readers:
        found: Readers = self._account(application).readers()
        return found

    def _connect(self, application: failover.model.Application) -> Adapter:
        if application.role_arn not in self._clients:
            self._clients[application.role_arn] = self._account(application).clients()
        if application.slug not in self._adapters:
            self._adapters[application.slug] = Adapter(application, self._clients[application.role_arn])
        return self._adapters[application.slug]
