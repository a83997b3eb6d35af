"""Every key of an application's configuration, as its form explains it where it stands."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from failover.model import Policy
from panel.words import gettext_lazy

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
        gettext_lazy("The application"),
        gettext_lazy("What it is called, and where it is."),
        (
            Key(
                "application.slug",
                gettext_lazy("Short name"),
                gettext_lazy("1 to 60 of a-z, 0-9 and -. It stays for good."),
            ),
            Key("application.name", gettext_lazy("Name"), gettext_lazy("As people call it. Empty: the short name.")),
            Key("application.region", gettext_lazy("Region"), gettext_lazy("Such as sa-east-1.")),
            Key(
                "application.role_arn",
                gettext_lazy("Role to assume"),
                gettext_lazy(
                    "ARN of an IAM role in the application's account; its trust policy names the panel and demands the "
                    "team's external id. Empty: the panel's own credentials."
                ),
            ),
        ),
    ),
    Group(
        "Lambda",
        gettext_lazy("The pool that carries the traffic in calm times."),
        (
            Key("lambda.function_name", gettext_lazy("Function")),
            Key(
                "lambda.target_group_arn",
                gettext_lazy("Target group"),
                gettext_lazy("ARN of the group that has the function."),
            ),
        ),
    ),
    Group(
        "ECS",
        gettext_lazy("The pool that takes over."),
        (
            Key("ecs.cluster", gettext_lazy("Cluster")),
            Key("ecs.service", gettext_lazy("Service")),
            Key(
                "ecs.target_group_arn",
                gettext_lazy("Target group"),
                gettext_lazy("ARN of the group that the service registers its tasks in."),
            ),
        ),
    ),
    Group(
        gettext_lazy("Routes"),
        gettext_lazy("Where the weights live."),
        (
            Key(
                "routes",
                gettext_lazy("Listeners and rules"),
                gettext_lazy(
                    "One ARN a line: a listener's, for its default action, or a listener rule's. "
                    "Each must forward to both target groups."
                ),
                lines=True,
            ),
        ),
    ),
    Group(
        gettext_lazy("Alarms"),
        gettext_lazy("What says that Lambda is at its limit, by name, in the application's account and region."),
        (
            Key("application.alarms", gettext_lazy("Alarms that fail over"), gettext_lazy("One a line."), lines=True),
            Key(
                "application.alarm_rule",
                gettext_lazy("Which of them"),
                gettext_lazy("any: one in ALARM is enough. all: each must be. A failback needs all of them OK."),
                choices=("any", "all"),
            ),
            Key(
                "application.prewarm_alarms",
                gettext_lazy("Alarms that only start tasks"),
                gettext_lazy("One a line; traffic stays where it is. May be empty."),
                lines=True,
            ),
        ),
    ),
    Group(
        gettext_lazy("Automation and the rest"),
        "",
        (
            Key(
                "application.mode",
                gettext_lazy("Mode"),
                gettext_lazy(
                    "auto: it acts. observe: it records what it would do. off. "
                    "What an operator sets on the application's page outlives an import that does not change this."
                ),
                choices=("auto", "observe", "off"),
            ),
            Key(
                "application.probe_url",
                gettext_lazy("Probe"),
                gettext_lazy("An address that is requested during operations, to see what users see."),
            ),
            Key(
                "application.lease_table",
                gettext_lazy("Lease table"),
                gettext_lazy("DynamoDB table, where a Lambda controller or the command line may act beside the panel."),
            ),
        ),
    ),
    Group(
        gettext_lazy("Tasks"),
        gettext_lazy("How many run on ECS."),
        (
            Key(
                "policy.failover_count",
                gettext_lazy("Tasks on ECS"),
                gettext_lazy("Wanted while ECS carries traffic; more where more run already."),
            ),
            Key(
                "policy.standby_count",
                gettext_lazy("Tasks on standby"),
                gettext_lazy("Left running after a failback. 0 costs nothing, and takes minutes."),
            ),
            Key(
                "policy.min_healthy",
                gettext_lazy("Healthy at least"),
                gettext_lazy("Before any traffic moves. Empty: all of the tasks on ECS."),
            ),
            Key(
                "policy.requests_per_task",
                gettext_lazy("Requests a task"),
                gettext_lazy("What one task carries, a second. 0: unproven, and plans say so."),
            ),
            Key(
                "policy.healthy_checks", gettext_lazy("Healthy in a row"), gettext_lazy("Observations that must agree.")
            ),
            Key(
                "policy.scale_deadline_seconds",
                gettext_lazy("Deadline for tasks"),
                gettext_lazy("Seconds until which they must be healthy, or it fails."),
            ),
        ),
    ),
    Group(
        gettext_lazy("Moving traffic"),
        gettext_lazy("Step by step, looking in between."),
        (
            Key(
                "policy.shift_steps",
                gettext_lazy("Failover steps"),
                gettext_lazy("Percent on ECS after each, rising to 100: 10, 50, 100."),
            ),
            Key(
                "policy.failback_steps",
                gettext_lazy("Failback steps"),
                gettext_lazy("Percent on ECS after each, falling to 0: 90, 50, 0."),
            ),
            Key("policy.step_seconds", gettext_lazy("Between steps"), gettext_lazy("Seconds.")),
            Key(
                "policy.max_5xx_percent",
                gettext_lazy("Errors at most"),
                gettext_lazy("Percent of answers 5xx between steps; above it, traffic returns."),
            ),
            Key(
                "policy.min_requests",
                gettext_lazy("Requests to judge by"),
                gettext_lazy("Fewer between two steps prove nothing."),
            ),
            Key(
                "policy.on_inconclusive",
                gettext_lazy("With too few requests"),
                gettext_lazy("hold: wait and tell people. continue: go on."),
                choices=("hold", "continue"),
            ),
            Key(
                "policy.settle_seconds",
                gettext_lazy("To settle"),
                gettext_lazy("Seconds until every node of the load balancer has new weights."),
            ),
        ),
    ),
    Group(
        gettext_lazy("Going back"),
        gettext_lazy("When it is calm again."),
        (
            Key(
                "policy.dwell_seconds",
                gettext_lazy("Calm for"),
                gettext_lazy("Seconds that all alarms must be OK before an automatic failback."),
            ),
            Key(
                "policy.cooldown_seconds",
                gettext_lazy("Not before"),
                gettext_lazy("Seconds after a failover, before an automatic failback."),
            ),
            Key(
                "policy.demand_headroom",
                gettext_lazy("Headroom"),
                gettext_lazy(
                    "Projected concurrency must stay under this share of Lambda's limit. "
                    "0 switches the projection off, and with it what keeps traffic from flapping."
                ),
            ),
            Key(
                "policy.drain_seconds",
                gettext_lazy("To drain"),
                gettext_lazy("Seconds by which ECS must have no traffic; else tasks stay up."),
            ),
            Key(
                "policy.bake_seconds",
                gettext_lazy("Tasks stay for"),
                gettext_lazy("Seconds after a failback, in case the alarm returns."),
            ),
        ),
    ),
    Group(
        gettext_lazy("Reading"),
        "",
        (
            Key(
                "policy.metric_period_seconds",
                gettext_lazy("Metric period"),
                gettext_lazy("Seconds, as AWS publishes them: 60."),
            ),
            Key(
                "policy.max_event_age_seconds",
                gettext_lazy("Events count for"),
                gettext_lazy("Seconds; an older one starts nothing."),
            ),
            Key("policy.probe_per_second", gettext_lazy("Probes a second"), gettext_lazy("0 switches the probe off.")),
            Key(
                "policy.probe_timeout_seconds",
                gettext_lazy("Probe's time-out"),
                gettext_lazy("Seconds; the panel waits four at most."),
            ),
        ),
    ),
)
KEYS = {key.name: key for group in GROUPS for key in group.keys}
