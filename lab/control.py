"""What the lab shows and takes about itself under ``/_lab/``: not AWS, but for trainers and tests."""

import json
import re
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from lab import api
from lab.actions import shown
from lab.alarms import AnyAlarm, Transition
from lab.alb import LoadBalancer, forward_weights
from lab.cloud import Cloud
from lab.deployments import Deployment
from lab.ecs import Service
from lab.errors import AwsError
from lab.eventbridge import Delivery, Destination, dead_letter_attributes
from lab.faults import SWITCHES, FaultError, Faults
from lab.lambda_ import Function
from lab.permissions import PERMISSIONS, TAG_ACTIONS
from lab.targets import TargetGroup
from lab.tasks import Task
from lab.wire.dispatch import CallLog
from lab.world import Application

TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
Pid = Callable[[str], int | None]


def set_destination(cloud: Cloud, body: bytes) -> dict[str, Any]:
    """Takes ``{"url", "header", "key"}``, for every account and region. Raises AwsError for anything else."""
    try:
        given = json.loads(body)
        destination = Destination(url=given["url"], header=given["header"], key=given["key"])
    except (ValueError, KeyError, TypeError) as error:
        raise AwsError("InvalidDestination", 'The body must be {"url": …, "header": …, "key": …}.') from error
    named = isinstance(destination.key, str) and isinstance(destination.header, str)
    if not named or not TOKEN.fullmatch(destination.header):
        raise AwsError("InvalidDestination", "The destination's header must be an HTTP header's name, its key a text.")
    if not str(destination.url).startswith(("http://", "https://")):
        raise AwsError("InvalidDestination", f"The destination's url must be http or https, not {destination.url!r}.")
    for world in cloud.worlds.values():
        world.bus.destination = destination
    return {"url": destination.url, "header": destination.header}


def state(cloud: Cloud, now: float, pid: Pid) -> dict[str, Any]:
    """Everything there is to see; every time is in epoch seconds."""
    buses = [world.bus for world in cloud.worlds.values()]
    destination = buses[0].destination
    return {
        "now": now,
        "applications": {slug: _application(each, pid) for slug, each in cloud.applications.items()},
        "events": [_delivery(each) for bus in buses for each in bus.deliveries],
        "dead_letters": [each.event["id"] for bus in buses for each in bus.dead_letters],
        "destination": destination.url if destination else None,
    }


def faults(switches: Faults) -> dict[str, Any]:
    """Every switch, what is on, and the names that those of names take."""
    return {
        "switches": [asdict(switch) for switch in SWITCHES],
        "services": ["all", *sorted(api.answered())],
        "actions": sorted({each.action for each in PERMISSIONS.values()} | TAG_ACTIONS),
        "on": [
            {"switch": switch.name, "application": application, "value": value}
            for switch, application, value in switches.on()
        ],
    }


def set_fault(cloud: Cloud, body: bytes) -> dict[str, Any]:
    """Takes ``{"switch", "application", "value"}``; value null mends it. Raises FaultError and changes nothing."""
    try:
        given = json.loads(body)
        name, value = str(given["switch"]), given.get("value")
        application = str(given.get("application") or "")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FaultError('The body must be {"switch": …, "application": …, "value": …}.') from error
    if application and application not in cloud.applications:
        raise FaultError(f"There is no application {application!r}; there are {', '.join(cloud.applications)}.")
    cloud.faults.set(name, value, application)
    return faults(cloud.faults)


def calls(log: CallLog) -> dict[str, Any]:
    writes = [{"at": w.at, "service": w.service, "action": w.action, "ok": w.ok} for w in log.writes]
    trips = [{"at": trip.at, "seconds": trip.seconds} for trip in log.round_trips]
    return {"total": log.total, "by_action": log.by_action, "writes": writes, "round_trips": trips}


def _application(application: Application, pid: Pid) -> dict[str, Any]:
    return {
        "load_balancer": _load_balancer(application.load_balancer),
        "target_groups": {
            "lambda": _target_group(application.lambda_group),
            "ecs": _target_group(application.ecs_group),
            **({"third": _target_group(application.third_group)} if application.third_group else {}),
        },
        "service": _service(application.service, pid),
        "function": _function(application.function),
        "alarms": [_alarm(alarm) for alarm in application.alarms],
        "composite_alarms": [_alarm(alarm) for alarm in application.composite_alarms],
    }


def _load_balancer(load_balancer: LoadBalancer) -> dict[str, Any]:
    return {
        "arn": load_balancer.arn,
        "rules": [
            {
                "arn": rule.arn,
                "priority": rule.priority,
                "paths": rule.paths,
                "weights": forward_weights(rule.actions),
                "actions": shown(rule.actions),
            }
            for rule in load_balancer.rules()
        ],
        "nodes": {
            node.name: {
                "weights": {arn: forward_weights(actions) for arn, actions in node.known.items()},
                "coming": [{"at": at, "rule": arn, "weights": forward_weights(new)} for at, arn, new in node.coming],
            }
            for node in load_balancer.nodes.values()
        },
    }


def _target_group(group: TargetGroup) -> dict[str, Any]:
    targets = [
        {
            "id": each.id,
            "port": each.port,
            "state": group.health(each).state,
            "since": each.since,
            "in_flight": each.in_flight,
        }
        for each in group.targets.values()
    ]
    return {"arn": group.arn, "in_use": group.in_use, "targets": targets}


def _service(service: Service, pid: Pid) -> dict[str, Any]:
    return {
        "status": service.status,
        "desired": service.desired,
        "deployments": [_deployment(each) for each in service.deployments.all],
        "tasks": [_task(task, pid) for task in service.tasks.values()],
        "events": [{"at": each.at, "message": each.message} for each in service.events],
    }


def _deployment(deployment: Deployment) -> dict[str, Any]:
    return {
        "id": deployment.id,
        "task_definition": deployment.definition.arn,
        "rollout": deployment.rollout,
        "reason": deployment.reason,
        "failed_tasks": deployment.failed,
    }


def _task(task: Task, pid: Pid) -> dict[str, Any]:
    return {
        "id": task.id,
        "address": task.address,
        "deployment": task.deployment,
        "pid": pid(task.id),
        "status": task.status,
        "desired": task.desired,
        "created": task.created,
        "started": task.started,
        "stopping": task.stopping,
        "stopped": task.stopped,
        "reason": task.reason,
    }


def _function(function: Function) -> dict[str, Any]:
    return {
        "name": function.settings.name,
        "reserved_concurrency": function.reserved,
        "in_flight": function.in_flight,
        "environments": len(function.environments),
        "invocations": function.invocations,
        "throttles": function.throttles,
    }


def _alarm(alarm: AnyAlarm) -> dict[str, Any]:
    return {
        "name": alarm.settings.name,
        "state": alarm.state.value,
        "actions_enabled": alarm.actions_enabled,
        "suppressed_by": alarm.state.suppressed_by,
        "reason": alarm.state.reason,
        "since": alarm.state.transitioned,
        "history": [_transition(each) for each in alarm.history],
    }


def _transition(transition: Transition) -> dict[str, Any]:
    return {
        "at": transition.state.updated,
        "from": transition.previous.value,
        "to": transition.state.value,
        "reason": transition.state.reason,
    }


def _delivery(delivery: Delivery) -> dict[str, Any]:
    event, detail = delivery.event, delivery.event["detail"]
    return {
        "id": event["id"],
        "type": event["detail-type"],
        "rule": delivery.rule.name,
        "resources": event["resources"],
        "alarm": detail.get("alarmName"),
        "state": detail["state"]["value"] if "alarmName" in detail else None,
        "accepted": delivery.accepted,
        "outcome": delivery.outcome,
        "dead_letter": dead_letter_attributes(delivery) if delivery.outcome == "dead" else None,
        "next_attempt": delivery.due,
        "attempts": [
            {
                "at": at,
                "answered": answer.at if answer else None,
                "status": answer.status if answer else None,
                "error": answer.error if answer else "",
            }
            for at, answer in delivery.attempts
        ],
    }
