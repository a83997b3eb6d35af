"""An AWS account in memory behind unmodified boto3 clients: nothing is sent, botocore still checks what is asked.

It answers the reads that we use, page by page, counts them, and refuses what AWS refuses: more names than a call may
have, a name that does not exist. What each call takes is from botocore's service models and the API references that
the reading modules name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import Any

import boto3
from botocore.awsrequest import AWSResponse

from failover.aws import clients
from failover.aws.clients import Clients, Readers
from failover.model import Application, Policy, Route
from tests.failover.aws.answers import AT, ELB, ID, NOW, REGION, Answers, RefusedError

RULE_LISTENER = "443"


def balancer(number: int) -> str:
    return f"{ELB}:loadbalancer/app/lb{number}/{number}"


def listener(number: int, port: str) -> str:
    return f"{ELB}:listener/app/lb{number}/{number}/{port}"


def forward(*weights: tuple[str, int], sticky: bool = False) -> list[dict]:
    groups = [{"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights]
    return [
        {
            "Type": "forward",
            "ForwardConfig": {"TargetGroups": groups, "TargetGroupStickinessConfig": {"Enabled": sticky}},
        }
    ]


NOTHING = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]


def _definition() -> dict:
    """A Fargate task of one container, tagged with a version."""
    container = {"name": "api", "image": "api-service:1.4.0"}
    described = {"containerDefinitions": [container], "cpu": "1024", "requiresCompatibilities": ["FARGATE"]}
    return {"taskDefinition": described, "tags": [{"key": "version", "value": "1.4.0"}]}


@dataclass
class Account(Answers):
    """`page` is the size of every page; `function` and `definition` are what every GetFunction and
    DescribeTaskDefinition answers. `failing` maps an operation to what it is refused with, or to a judge of its
    arguments that raises. `most` bounds how many ARNs an ELB call takes.
    """

    applications: list[Application] = field(default_factory=list)
    listeners: dict[str, dict] = field(default_factory=dict)
    rules: dict[str, dict] = field(default_factory=dict)
    groups: dict[str, dict] = field(default_factory=dict)
    health: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    services: dict[tuple[str, str], dict] = field(default_factory=dict)
    tasks: dict[str, dict] = field(default_factory=dict)
    alarms: dict[str, str] = field(default_factory=dict)
    scalable: list[dict] = field(default_factory=list)
    function: dict = field(default_factory=lambda: {"Code": {"RepositoryType": "S3"}, "Tags": {"version": "1.4.0"}})
    definition: dict = field(default_factory=_definition)
    page: int = 1000
    most: int = 10_000
    failing: dict[str, RefusedError | Callable[[dict], None]] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)

    # ---- what is in it ----

    def add(
        self, load_balancer: int = 1, *, cluster: str = "apis", default: bool = False, **policy: Any
    ) -> Application:
        """One idle application, on a listener's default action or on a rule of its own."""
        number = len(self.applications) + 1
        slug = f"api-{number}"
        self._listen(load_balancer)
        groups = [f"{ELB}:targetgroup/{slug}-{pool}/{number}" for pool in ("lambda", "ecs")]
        actions = forward((groups[0], 100), (groups[1], 0))
        for group in groups:
            self.groups[group] = {"LoadBalancerArns": [balancer(load_balancer)], "HealthCheckPath": "/"}
            self.health[group] = []
        application = Application(
            slug=slug, name=slug, region=REGION, alarms=(f"{slug}-busy", f"{slug}-throttles"), function_name=slug,
            lambda_target_group_arn=groups[0], cluster=cluster, service=slug, ecs_target_group_arn=groups[1],
            routes=(Route(self._route(load_balancer, slug, actions, default)),), policy=Policy(**policy),
        )  # fmt: skip
        self.services[cluster, slug] = self.service(slug)
        self.alarms.update(dict.fromkeys(application.alarms, "OK"))
        self.applications.append(application)
        return application

    def _listen(self, number: int) -> None:
        for port in ("80", RULE_LISTENER):
            self.listeners.setdefault(listener(number, port), {"Port": int(port), "DefaultActions": NOTHING})

    def _route(self, number: int, slug: str, actions: list[dict], default: bool) -> str:
        if default:
            self.listeners[listener(number, "80")]["DefaultActions"] = actions
            return listener(number, "80")
        return self.rule(number, slug, actions)

    def rule(self, number: int, name: str, actions: list[dict], port: str = RULE_LISTENER) -> str:
        """One more rule, on requests for /NAME."""
        self._listen(number)
        arn = f"{ELB}:listener-rule/app/lb{number}/{number}/{port}/{name}"
        self.rules[arn] = {"listener": listener(number, port), "Actions": actions, "path": f"/{name}"}
        return arn

    def service(self, name: str, desired: int = 0, running: int = 0, **more: Any) -> dict:
        counts = {"desiredCount": desired, "runningCount": running, "pendingCount": 0, "status": "ACTIVE"}
        described = {"serviceName": name, "taskDefinition": f"{name}:1", "deployments": [], "events": []}
        return {**described, **counts, **more}

    def run(self, application: Application, count: int, state: str = "healthy") -> None:
        """Tasks of the application's service, each a target of its group."""
        key = application.cluster, application.service
        self.services[key] = self.service(application.service, count, count)
        for number in range(count):
            address = f"10.0.{len(self.tasks)}.{number}"
            self.task(application, f"{application.slug}-{number}", privateIPv4Address=address)
            self.health[application.ecs_target_group_arn].append((address, state))

    def task(self, application: Application, name: str, status: str = "RUNNING", **more: Any) -> None:
        details = [{"name": key, "value": more.pop(key)} for key in ("privateIPv4Address",) if key in more]
        self.tasks[f"arn:aws:ecs:{REGION}:{ID}:task/{application.cluster}/{name}"] = {
            "group": f"service:{application.service}",
            "lastStatus": status,
            "attachments": [{"details": details}],
            "cluster": application.cluster,
            **more,
        }

    def weights(self, application: Application, lambda_: int, ecs: int) -> None:
        arn = application.routes[0].arn
        place, key = (self.rules, "Actions") if arn in self.rules else (self.listeners, "DefaultActions")
        groups = (application.lambda_target_group_arn, lambda_), (application.ecs_target_group_arn, ecs)
        place[arn][key] = forward(*groups)

    # ---- clients ----

    def readers(self) -> Readers:
        return Readers(**{each.name: self._client(each.name) for each in fields(Readers)})

    def clients(self) -> Clients:
        return Clients(**{each.name: self._client(each.name) for each in fields(Clients)})

    def _client(self, name: str) -> Any:
        service = {"alarms": "cloudwatch", "functions": "lambda", "scaling": "application-autoscaling"}
        plain = name.removesuffix("_write")
        client = boto3.client(
            service.get(plain, plain),
            region_name=REGION,
            aws_access_key_id="a",
            aws_secret_access_key="b",
            config=clients.READS,
        )

        def keep(params: dict, context: dict, **_: object) -> None:
            context["given"] = params

        def answer(model: Any, context: dict, **_: object) -> tuple[AWSResponse, dict]:
            return self._answer(model.name, context["given"])

        client.meta.events.register("before-parameter-build", keep)
        client.meta.events.register("before-call", answer)
        return client

    def _answer(self, operation: str, given: dict) -> tuple[AWSResponse, dict]:
        self.calls[operation] += 1
        try:
            failing = self.failing.get(operation)
            if isinstance(failing, RefusedError):
                raise failing
            if failing is not None:
                failing(given)
            parsed, status = getattr(self, f"_{operation}")(given), 200
        except RefusedError as refused:
            parsed, status = {"Error": {"Code": refused.code, "Message": refused.message}}, refused.status
        metadata = {"ResponseMetadata": {"HTTPStatusCode": status, "RequestId": "r-1"}}
        return AWSResponse("", status, {}, None), {**parsed, **metadata}


def with_routes(application: Application, *arns: str) -> Application:
    return replace(application, routes=tuple(Route(arn) for arn in arns))


__all__ = ["AT", "ELB", "NOW", "Account", "RefusedError", "balancer", "forward", "listener", "with_routes"]
