"""Why an ECS service has not the tasks that it should have, in one short sentence for an operator.

Pure: from the service as described and its stopped tasks. Only what the service said since it was last steady counts,
and nothing that is older than ECS keeps stopped tasks.

Source: ECS developer guide, "Amazon ECS service event messages", "Amazon ECS stopped task error messages" and
"Deployment circuit breaker"; ECS API reference, Task.stopCode, Deployment.rolloutStateReason. The messages' words are
no contract: what is not recognised is told as ECS put it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

RECENT_SECONDS = 3600.0
AT_ONCE_SECONDS = 60.0
MOST_CHARACTERS = 160
OUT_OF_MEMORY = 137  # 128 + SIGKILL, which is how the kernel ends what takes too much memory

Described = Mapping[str, Any]

_STEADY = "has reached a steady state"
_ZONE = re.compile(r"\b[a-z]{2}(?:-[a-z]+)+-\d[a-z]\b")
_REASON = re.compile(r"[Rr]eason:? (.+?)\.?$")
_HEALTH_REASON = re.compile(r"due to \(reason (.+?)\)")
_CODES = re.compile(r"codes: \[([\d, ]+)\]")
_SERVICE = re.compile(r"^\(service [^)]*\) ")
_COMPLAINTS = ("unable to", "unhealthy", "failed", "unsuccessful", "error")


# How the sentences below begin, or go on, that say that a task found no room.
NO_CAPACITY, NOT_PLACED, TAKEN_BACK = "Fargate has no capacity", "ECS can't place a task", "Fargate Spot took"


def tells_of_no_capacity(told: str) -> bool:
    """Whether a text holds a sentence of `trouble` that says that there is no room for tasks."""
    return any(words in told for words in (NO_CAPACITY, NOT_PLACED, TAKEN_BACK))


def complains(service: Described, now: float) -> bool:
    """Whether something is wrong, judged by the service alone: only then are its stopped tasks worth reading."""
    deployments = service.get("deployments", ())
    if any(each.get("rolloutState") == "FAILED" for each in deployments):
        return True
    if not service["desiredCount"]:
        return False
    missing = service["runningCount"] + service["pendingCount"] < service["desiredCount"]
    failed = any(each.get("failedTasks") for each in deployments if each.get("rolloutState") == "IN_PROGRESS")
    return missing or failed or any(_complaint(message) for message in _messages(service, now))


def trouble(service: Described, stopped: Sequence[Described], now: float, health_path: str = "") -> str:
    """The sentence, or "" where nothing tells what is wrong. `stopped` has the latest task first."""
    messages = list(_messages(service, now))
    since = now - RECENT_SECONDS
    recent = [task for task in stopped if task["stoppedAt"].timestamp() > since]
    cause = _capacity(messages, recent) or _tasks(recent, messages, health_path) or _events(messages, health_path)
    failed = next((each for each in service.get("deployments", ()) if each.get("rolloutState") == "FAILED"), None)
    return _gave_up(failed, cause) if failed else _sentence(cause)


def _messages(service: Described, now: float) -> Iterator[str]:
    """What the service said since it was last steady, the newest first."""
    for event in service.get("events", ()):
        if _STEADY in event["message"] or event["createdAt"].timestamp() < now - RECENT_SECONDS:
            return
        yield event["message"]


def _complaint(message: str) -> bool:
    return any(word in message for word in _COMPLAINTS)


def _gave_up(deployment: Described, cause: str) -> str:
    said = deployment.get("rolloutStateReason", "").removeprefix("ECS deployment circuit breaker: ")
    why = _lower(cause) or said.rstrip(".")
    return _sentence("The deployment's circuit breaker gave up" + (f": {why}" if why else ""))


# ---- capacity ----


def _capacity(messages: Sequence[str], stopped: Sequence[Described]) -> str:
    """No room for a task, by the service's newest complaint about placing one or by how tasks were taken away."""
    placing = next((message for message in messages if "unable to place a task" in message), "")
    if "apacity is unavailable" in placing:
        zone = _ZONE.search(placing)
        return f"{NO_CAPACITY}{f' in {zone[0]}' if zone else ''}"
    if placing:
        reason = _REASON.search(placing)
        return f"{NOT_PLACED}: {reason[1] if reason else _plain(placing)}"
    if stopped and stopped[0].get("stopCode") == "SpotInterruption":
        zone_name = stopped[0].get("availabilityZone", "")
        return f"{TAKEN_BACK} a task's capacity back{f' in {zone_name}' if zone_name else ''}"
    if stopped and "apacity is unavailable" in stopped[0].get("stoppedReason", ""):
        return f"{NO_CAPACITY} in {stopped[0].get('availabilityZone') or 'its zone'}"
    return ""


# ---- stopped tasks ----


def _tasks(stopped: Sequence[Described], messages: Sequence[str], health_path: str) -> str:
    """The latest task that did not stop because it was asked to."""
    found = (_task(task, messages, health_path) for task in stopped)
    return next((cause for cause in found if cause), "")


def _task(task: Described, messages: Sequence[str], health_path: str) -> str:
    code, reason = task.get("stopCode", ""), task.get("stoppedReason", "")
    if code == "EssentialContainerExited":
        return _exited(task)
    if code == "TaskFailedToStart":
        return _not_started(reason, task)
    if "ELB health checks" in reason:
        return _unhealthy(" ".join([reason, *messages]), health_path)
    if "container health checks" in reason:
        return "Tasks run but fail their container's own health check"
    if code == "UserInitiated":
        return f"Somebody stopped a task: {reason}"
    return f"AWS took a task's host away: {reason}" if code in ("TerminationNotice", "InfrastructureHealth") else ""


def _exited(task: Described) -> str:
    container: Described = next((each for each in task.get("containers", ()) if each.get("exitCode") is not None), {})
    code, started = container.get("exitCode"), task.get("startedAt")
    lived = (task["stoppedAt"] - started).total_seconds() if started else 0.0
    when = "exits at once" if lived < AT_ONCE_SECONDS else f"exits after {lived / 60:.0f} min"
    if code == OUT_OF_MEMORY and "OutOfMemory" in container.get("reason", ""):
        return "The container runs out of memory and is killed"
    return f"The container {when}" + (f": exit code {code}" if code is not None else "")


_NOT_STARTED = {
    "CannotPullContainerError": "The image can't be pulled",
    "ResourceInitializationError": "The task's surroundings can't be set up",
    "CannotStartContainerError": "The container can't be started",
    "CannotCreateVolumeError": "A volume can't be created",
    "ContainerRuntimeError": "The container can't be created",
    "ContainerRuntimeTimeoutError": "The container does not start in time",
    "OutOfMemoryError": "The container runs out of memory while it starts",
}


def _not_started(reason: str, task: Described) -> str:
    """Fargate names the error either in the task's reason or in its container's."""
    said = next((each["reason"] for each in task.get("containers", ()) if each.get("reason")), "")
    for text in (reason, said):
        error, _, rest = text.partition(": ")
        if error in _NOT_STARTED:
            return f"{_NOT_STARTED[error]}: {rest}"
    return f"A task can't be started: {reason or said or 'ECS does not say why'}"


# ---- events ----


def _events(messages: Sequence[str], health_path: str) -> str:
    complaint = next((message for message in messages if _complaint(message)), "")
    if "unhealthy in" in complaint:
        return _unhealthy(complaint, health_path)
    return _plain(complaint)


def _unhealthy(said: str, health_path: str) -> str:
    """ "… is unhealthy in (target-group …) due to (reason Health checks failed with these codes: [503])"."""
    where = f" on {health_path}" if health_path else ""
    codes, reason = _CODES.search(said), _HEALTH_REASON.search(said)
    why = codes[1] if codes else reason[1] if reason else ""
    return f"Tasks run but fail the load balancer's health check{where}" + (f": {why}" if why else "")


# ---- words ----


def _plain(message: str) -> str:
    said = _SERVICE.sub("", message).strip()
    return f"ECS says: the service {said}" if said else ""


def _lower(cause: str) -> str:
    """As the second half of a sentence; names keep their capital."""
    return cause if cause.startswith(("Fargate", "ECS", "AWS")) else cause[:1].lower() + cause[1:]


def _sentence(cause: str) -> str:
    whole = " ".join(cause.split()).rstrip(".")
    return whole if len(whole) <= MOST_CHARACTERS else f"{whole[: MOST_CHARACTERS - 1].rstrip()}…"
