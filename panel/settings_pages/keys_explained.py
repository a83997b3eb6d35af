"""Every key of an application's configuration, as its form explains it where it stands."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from failover.model import Policy

POLICY_DEFAULTS = {each.name: each.default for each in fields(Policy)}


@dataclass(frozen=True)
class Key:
    """`name` as the TOML has it. `lines`: a list, one a line. `choices`: nothing else is allowed."""

    name: str
    label: str
    says: str = ""
    lines: bool = False
    choices: tuple[str, ...] = ()

    @property
    def default(self) -> Any:
        table, _, name = self.name.partition(".")
        return POLICY_DEFAULTS.get(name) if table == "policy" else None


@dataclass(frozen=True)
class Group:
    title: str
    says: str
    keys: tuple[Key, ...]


GROUPS = (
    Group(
        "The application",
        "What it is called, and where it is.",
        (
            Key("application.slug", "Short name", "1 to 60 of a-z, 0-9 and -. It stays for good."),
            Key("application.name", "Name", "As people call it. Empty: the short name."),
            Key("application.region", "Region", "Such as sa-east-1."),
            Key(
                "application.role_arn",
                "Role to assume",
                "ARN of an IAM role in the application's account; its trust policy names the panel and demands the "
                "team's external id. Empty: the panel's own credentials.",
            ),
        ),
    ),
    Group(
        "Lambda",
        "The pool that carries the traffic in calm times.",
        (
            Key("lambda.function_name", "Function"),
            Key("lambda.target_group_arn", "Target group", "ARN of the group that has the function."),
        ),
    ),
    Group(
        "ECS",
        "The pool that takes over.",
        (
            Key("ecs.cluster", "Cluster"),
            Key("ecs.service", "Service"),
            Key("ecs.target_group_arn", "Target group", "ARN of the group that the service registers its tasks in."),
        ),
    ),
    Group(
        "Routes",
        "Where the weights live.",
        (
            Key(
                "routes",
                "Listeners and rules",
                "One ARN a line: a listener's, for its default action, or a listener rule's. Each must forward to both "
                "target groups.",
                lines=True,
            ),
        ),
    ),
    Group(
        "Alarms",
        "What says that Lambda is at its limit, by name, in the application's account and region.",
        (
            Key("application.alarms", "Alarms that fail over", "One a line.", lines=True),
            Key(
                "application.alarm_rule",
                "Which of them",
                "any: one in ALARM is enough. all: each must be. A failback needs all of them OK.",
                choices=("any", "all"),
            ),
            Key(
                "application.prewarm_alarms",
                "Alarms that only start tasks",
                "One a line; traffic stays where it is. May be empty.",
                lines=True,
            ),
        ),
    ),
    Group(
        "Automation and the rest",
        "",
        (
            Key(
                "application.mode",
                "Mode",
                "auto: it acts. observe: it records what it would do. off. What an operator sets on the application's "
                "page outlives an import that does not change this.",
                choices=("auto", "observe", "off"),
            ),
            Key(
                "application.probe_url",
                "Probe",
                "An address that is requested during operations, to see what users see.",
            ),
            Key(
                "application.lease_table",
                "Lease table",
                "DynamoDB table, where a Lambda controller or the command line may act beside the panel.",
            ),
        ),
    ),
    Group(
        "Tasks",
        "How many run on ECS.",
        (
            Key(
                "policy.failover_count",
                "Tasks on ECS",
                "Wanted while ECS carries traffic; more where more run already.",
            ),
            Key(
                "policy.standby_count",
                "Tasks on standby",
                "Left running after a failback. 0 costs nothing, and takes minutes.",
            ),
            Key("policy.min_healthy", "Healthy at least", "Before any traffic moves. Empty: all of the tasks on ECS."),
            Key(
                "policy.requests_per_task",
                "Requests a task",
                "What one task carries, a second. 0: unproven, and plans say so.",
            ),
            Key("policy.healthy_checks", "Healthy in a row", "Observations that must agree."),
            Key(
                "policy.scale_deadline_seconds",
                "Deadline for tasks",
                "Seconds until which they must be healthy, or it fails.",
            ),
        ),
    ),
    Group(
        "Moving traffic",
        "Step by step, looking in between.",
        (
            Key("policy.shift_steps", "Failover steps", "Percent on ECS after each, rising to 100: 10, 50, 100."),
            Key("policy.failback_steps", "Failback steps", "Percent on ECS after each, falling to 0: 90, 50, 0."),
            Key("policy.step_seconds", "Between steps", "Seconds."),
            Key(
                "policy.max_5xx_percent",
                "Errors at most",
                "Percent of answers 5xx between steps; above it, traffic returns.",
            ),
            Key("policy.min_requests", "Requests to judge by", "Fewer between two steps prove nothing."),
            Key(
                "policy.on_inconclusive",
                "With too few requests",
                "hold: wait and tell people. continue: go on.",
                choices=("hold", "continue"),
            ),
            Key("policy.settle_seconds", "To settle", "Seconds until every node of the load balancer has new weights."),
        ),
    ),
    Group(
        "Going back",
        "When it is calm again.",
        (
            Key("policy.dwell_seconds", "Calm for", "Seconds that all alarms must be OK before an automatic failback."),
            Key("policy.cooldown_seconds", "Not before", "Seconds after a failover, before an automatic failback."),
            Key(
                "policy.demand_headroom",
                "Headroom",
                "Projected concurrency must stay under this share of Lambda's limit. 0 switches the projection off, "
                "and with it what keeps traffic from flapping.",
            ),
            Key("policy.drain_seconds", "To drain", "Seconds by which ECS must have no traffic; else tasks stay up."),
            Key("policy.bake_seconds", "Tasks stay for", "Seconds after a failback, in case the alarm returns."),
        ),
    ),
    Group(
        "Reading",
        "",
        (
            Key("policy.metric_period_seconds", "Metric period", "Seconds, as AWS publishes them: 60."),
            Key("policy.max_event_age_seconds", "Events count for", "Seconds; an older one starts nothing."),
            Key("policy.probe_per_second", "Probes a second", "0 switches the probe off."),
            Key("policy.probe_timeout_seconds", "Probe's time-out", "Seconds; the panel waits four at most."),
        ),
    ),
)
KEYS = {key.name: key for group in GROUPS for key in group.keys}
