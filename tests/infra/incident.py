"""A whole incident in virtual time: a surge, a failover, calm, a failback, by the product's own controller on boto3."""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from failover import wake
from failover.aws import clients
from failover.aws.adapter import Adapter
from failover.aws.lease import TableLease
from failover.codec import encode
from failover.leases import Unshared
from failover.solo import Solo
from failover.state import State, stored_state
from lab.ports import Answer

MIX = (("/bang", 1.0), ("/pong", 1.0), ("/env", 1.0))
CALM, SURGE = (20.0, 0.0), (200.0, 0.03)  # requests a second, and the share of those that take five seconds
LOOK_SECONDS = 10.0
INVOCATION_SECONDS = 280.0


@dataclass
class Incident:
    """The application's controller, woken by the events that are delivered to the lab's receiver."""

    lab: Any
    application: Any
    told: list[str] = field(default_factory=list)
    delivered: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)
    state: State = field(default_factory=State)
    _events: deque = field(default_factory=deque)

    def __post_init__(self):
        self.lab.http.receiver = self._receive
        self._dynamodb = clients.lease_client(self.application) if self.application.lease_table else None
        self.adapter = Adapter(self.application, clients.build(self.application), lambda: self.lab.now)

    @property
    def found(self):
        return self.lab.cloud.applications[self.application.slug]

    @property
    def weights(self):
        """Lambda's and ECS's on the application's first route."""
        rule = next(each for each in self.found.load_balancer.rules() if each.arn == self.application.routes[0].arn)
        groups = rule.actions[-1]["ForwardConfig"]["TargetGroups"]
        by_arn = {each["TargetGroupArn"]: each["Weight"] for each in groups}
        return by_arn[self.application.lambda_target_group_arn], by_arn[self.application.ecs_target_group_arn]

    def load(self, requests, slow):
        mix = [(path, share * (1 - slow) / len(MIX)) for path, share in MIX]
        self.lab.flow(self.application.slug, requests, [*mix, ("/sleep", slow)])

    def until(self, reached, seconds=5400.0):
        """Lets time pass, and the controller work, until `reached()`. Fails after so many seconds."""
        end = self.lab.now + seconds
        while not reached():
            assert self.lab.now < end, "\n".join(self.told[-20:])
            self.lab.run(LOOK_SECONDS)
            self.work()

    def work(self):
        """One invocation: for the events that came, or because it is time to look."""
        woken = [event for event in self._events if not wake.ignored(event, self.application, self.lab.now)]
        self._events.clear()
        if woken or self.lab.now % 60 < LOOK_SECONDS:
            self.invoke()

    def invoke(self):
        until = self.lab.now + INVOCATION_SECONDS
        lease = self._lease()
        if isinstance(lease, TableLease):
            lease.claim()
            self.state = stored_state(lease.state)

        def save(state):
            self.state = state
            if isinstance(lease, TableLease):
                lease.state = encode(state)
                lease.renew()

        solo = Solo(
            self.application, self.adapter, lease, lambda: self.lab.now, self.lab.run, lambda: until - self.lab.now,
            save, lambda kind, said: self.told.append(f"{self.lab.now:.0f} {kind}: {said}"), self.state,
        )  # fmt: skip
        try:
            return solo.run()
        finally:
            if isinstance(lease, TableLease):
                lease.release()

    def _lease(self):
        if not self.application.lease_table:
            return Unshared()
        return TableLease(self._dynamodb, self.application.lease_table, self.application.slug, lambda: self.lab.now)

    def _receive(self, headers, body, at):
        event = json.loads(body)
        self.delivered.append((dict(headers), event))
        self._events.append(event)
        return Answer(202, at)


def play(incident):
    """From Lambda to ECS and back."""
    incident.load(*CALM)
    incident.until(lambda: all(each.state.value == "OK" for each in incident.found.alarms), 600)
    incident.load(*SURGE)
    incident.until(lambda: incident.weights[0] == 0, 1800)
    on_ecs = incident.lab.now
    incident.load(*CALM)
    incident.until(lambda: incident.weights[1] == 0 and incident.found.service.desired == 0 and _at_rest(incident))
    return on_ecs


def _at_rest(incident):
    return incident.state.operation is None
