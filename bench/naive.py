"""The controller that one writes first, to compare ours with: two weights and a desired count, by the event's text.

It does on purpose what `docs/benchmarks.md` says is not enough: it believes the event, asks for one task whatever runs
already, waits for any running task of the cluster, replaces the listener's whole action list, and at the alarm's OK
sends traffic home and stops the tasks in the same breath.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from failover.model import Application

LOOK_SECONDS = 0.2  # kinder to AWS than a loop that never sleeps


@dataclass(frozen=True)
class Naive:
    """``ecs`` and ``elbv2`` are boto3 clients; ``ended`` says that time is up, or its loop might never end."""

    application: Application
    ecs: Any
    elbv2: Any
    sleep: Callable[[float], None]
    ended: Callable[[], bool]

    def handle(self, event: dict[str, Any]) -> None:
        """One EventBridge event, "CloudWatch Alarm State Change"."""
        state = event["detail"]["state"]["value"]
        previous = event["detail"]["previousState"]["value"]
        if state == "ALARM":
            self._fail_over()
        if state == "OK" and previous != "OK":
            self._fail_back()

    def _fail_over(self) -> None:
        self._scale(1)
        while not self._anything_runs():
            if self.ended():
                return
            self.sleep(LOOK_SECONDS)
        self._forward(lambda_weight=0, ecs_weight=1)

    def _fail_back(self) -> None:
        self._forward(lambda_weight=1, ecs_weight=0)
        self._scale(0)

    def _scale(self, count: int) -> None:
        self.ecs.update_service(cluster=self.application.cluster, service=self.application.service, desiredCount=count)

    def _anything_runs(self) -> bool:
        cluster = self.application.cluster
        arns = self.ecs.list_tasks(cluster=cluster)["taskArns"]
        if not arns:
            return False
        tasks = self.ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"]
        return any(container["lastStatus"] == "RUNNING" for task in tasks for container in task["containers"])

    def _forward(self, *, lambda_weight: int, ecs_weight: int) -> None:
        groups = [
            {"TargetGroupArn": self.application.lambda_target_group_arn, "Weight": lambda_weight},
            {"TargetGroupArn": self.application.ecs_target_group_arn, "Weight": ecs_weight},
        ]
        actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]
        self.elbv2.modify_listener(ListenerArn=self.application.routes[0].arn, DefaultActions=actions)
