"""What the account in memory answers to each call, with the limits and refusals that AWS documents for it.

Source: the API references that the reading modules name, call by call.
"""
# ruff: noqa: N802, ARG002 - the methods are named as the API's operations and take what each of them is given

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

REGION, ID = "eu-west-1", "111122223333"
ELB = f"arn:aws:elasticloadbalancing:{REGION}:{ID}"
NOW = 1_800_000_000.0
AT = datetime.fromtimestamp(NOW - 600, UTC)


class RefusedError(Exception):
    def __init__(self, code: str, message: str = "…", status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


class Answers:
    """The reads and writes of `Account`, over what is in it."""

    applications: list[Any]
    listeners: dict[str, dict]
    rules: dict[str, dict]
    groups: dict[str, dict]
    health: dict[str, list[tuple[str, str]]]
    services: dict[tuple[str, str], dict]
    tasks: dict[str, dict]
    alarms: dict[str, str]
    scalable: list[dict]
    function: dict
    definition: dict
    page: int
    most: int

    # ---- Elastic Load Balancing ----

    def _DescribeListeners(self, given: dict) -> dict:
        wanted = given.get("ListenerArns")
        found = self._named(wanted, self.listeners, "ListenerNotFound") if wanted else [
            arn for arn in self.listeners if arn.replace(":listener/", ":loadbalancer/").rsplit("/", 1)[0]
            == given["LoadBalancerArn"]
        ]  # fmt: skip
        shown = [{"ListenerArn": arn, "Protocol": "HTTP", **self.listeners[arn]} for arn in found]
        return self._paged("Listeners", shown, given, "Marker", "NextMarker")

    def _DescribeRules(self, given: dict) -> dict:
        wanted = given.get("RuleArns")
        if wanted:
            shown = [self._rule(arn) for arn in self._named(wanted, self.rules, "RuleNotFound")]
        else:
            own = [arn for arn, rule in self.rules.items() if rule["listener"] == given["ListenerArn"]]
            default = {
                "RuleArn": "…/default",
                "IsDefault": True,
                "Actions": self.listeners[given["ListenerArn"]]["DefaultActions"],
            }
            shown = [*map(self._rule, own), default]
        return self._paged("Rules", shown, given, "Marker", "NextMarker")

    def _rule(self, arn: str) -> dict:
        condition = {"Field": "path-pattern", "PathPatternConfig": {"Values": [self.rules[arn]["path"]]}}
        return {"RuleArn": arn, "IsDefault": False, "Conditions": [condition], "Actions": self.rules[arn]["Actions"]}

    def _DescribeTargetGroups(self, given: dict) -> dict:
        found = self._named(given["TargetGroupArns"], self.groups, "TargetGroupNotFound")
        shown = [{"TargetGroupArn": arn, **self.groups[arn]} for arn in found]
        return self._paged("TargetGroups", shown, given, "Marker", "NextMarker")

    def _DescribeTargetHealth(self, given: dict) -> dict:
        (group,) = self._named([given["TargetGroupArn"]], self.groups, "TargetGroupNotFound")
        shown = [{"Target": {"Id": id_}, "TargetHealth": {"State": state}} for id_, state in self.health[group]]
        return {"TargetHealthDescriptions": shown}

    def _ModifyListener(self, given: dict) -> dict:
        self.listeners[given["ListenerArn"]]["DefaultActions"] = given["DefaultActions"]
        return {"Listeners": [{"ListenerArn": given["ListenerArn"], **self.listeners[given["ListenerArn"]]}]}

    def _ModifyRule(self, given: dict) -> dict:
        self.rules[given["RuleArn"]]["Actions"] = given["Actions"]
        return {"Rules": [self._rule(given["RuleArn"])]}

    def _named(self, wanted: list[str], known: dict, code: str) -> list[str]:
        if len(wanted) > self.most:
            raise RefusedError("ValidationError", f"At most {self.most} ARNs can be described at once")
        for arn in wanted:
            if arn not in known:
                raise RefusedError(code, f"{arn} not found")
        return wanted

    # ---- ECS ----

    def _DescribeServices(self, given: dict) -> dict:
        self._bounded(given["services"], 10, "InvalidParameterException")
        names = [name.rsplit("/", 1)[-1] for name in given["services"]]
        keys = [(given["cluster"], name) for name in names]
        missing = [
            {"arn": f"service/{name}", "reason": "MISSING"}
            for _, name in keys
            if (given["cluster"], name) not in self.services
        ]
        return {"services": [self.services[key] for key in keys if key in self.services], "failures": missing}

    def _ListTasks(self, given: dict) -> dict:
        stopped = given.get("desiredStatus") == "STOPPED"
        arns = [
            arn for arn, task in self.tasks.items()
            if task["cluster"] == given["cluster"] and task["group"] == f"service:{given['serviceName']}"
            and (task["lastStatus"] == "STOPPED") == stopped
        ]  # fmt: skip
        return self._paged("taskArns", arns, given, "nextToken", "nextToken")

    def _DescribeTasks(self, given: dict) -> dict:
        self._bounded(given["tasks"], 100, "InvalidParameterException")
        return {"tasks": [{"taskArn": arn, **self.tasks[arn]} for arn in given["tasks"]], "failures": []}

    def _UpdateService(self, given: dict) -> dict:
        self.services[given["cluster"], given["service"]]["desiredCount"] = given["desiredCount"]
        return {"service": {}}

    # ---- the others ----

    def _DescribeAlarms(self, given: dict) -> dict:
        self._bounded(given["AlarmNames"], 100, "ValidationError")
        shown = [
            {"AlarmName": name, "StateValue": self.alarms[name], "StateUpdatedTimestamp": AT}
            for name in given["AlarmNames"] if name in self.alarms
        ]  # fmt: skip
        return self._paged("MetricAlarms", shown, given, "NextToken", "NextToken")

    def _GetMetricData(self, given: dict) -> dict:
        self._bounded(given["MetricDataQueries"], 500, "ValidationError")
        at = datetime.fromtimestamp(NOW - 60, UTC)
        results = [
            {"Id": q["Id"], "Label": q["Label"], "Timestamps": [at], "Values": [1.0], "StatusCode": "Complete"}
            for q in given["MetricDataQueries"]
        ]  # fmt: skip
        return self._paged("MetricDataResults", results, given, "NextToken", "NextToken")

    def _DescribeScalableTargets(self, given: dict) -> dict:
        self._bounded(given["ResourceIds"], 50, "ValidationException")
        shown = [target for target in self.scalable if target["ResourceId"] in given["ResourceIds"]]
        return self._paged("ScalableTargets", shown, given, "NextToken", "NextToken")

    def _GetFunctionConcurrency(self, given: dict) -> dict:
        return {"ReservedConcurrentExecutions": 10}

    def _GetFunction(self, given: dict) -> dict:
        return {"Configuration": {"FunctionName": given["FunctionName"]}, **self.function}

    def _DescribeTaskDefinition(self, given: dict) -> dict:
        tags = {"tags": self.definition["tags"]} if "TAGS" in given.get("include", ()) else {}
        return {"taskDefinition": self.definition["taskDefinition"], **tags}

    def _GetAccountSettings(self, given: dict) -> dict:
        return {"AccountLimit": {"UnreservedConcurrentExecutions": 900}}

    def _bounded(self, names: list, most: int, code: str) -> None:
        if not 1 <= len(names) <= most:
            raise RefusedError(code, f"1 to {most} names, not {len(names)}")

    def _paged(self, key: str, items: list, given: dict, token: str, next_token: str) -> dict:
        start = int(given.get(token) or 0)
        end = start + self.page
        return {key: items[start:end], **({next_token: str(end)} if end < len(items) else {})}
