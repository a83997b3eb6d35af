"""The ids that lead through the logs, from a web request over its tasks to the AWS calls that followed.

They travel in a message's headers: django-structlog puts what is bound there and binds it again in the task. Only these
ids travel, whatever else is bound where a wake-up is asked for.
"""

from __future__ import annotations

from typing import Any

import structlog
from django_structlog.celery.receivers import CeleryReceiver
from django_structlog.celery.signals import bind_extra_task_metadata, modify_context_before_task_publish

Trail = dict[str, str]

IDS = ("request_id", "operation", "application")


def current() -> Trail:
    """The ids that are bound here."""
    return _ids(structlog.contextvars.get_contextvars())


def request_id() -> Trail:
    """The request's id alone, where one is bound here."""
    return {name: value for name, value in current().items() if name == "request_id"}


def _ids(bound: dict[str, Any]) -> Trail:
    return {name: str(bound[name]) for name in IDS if bound.get(name)}


def follow_tasks() -> CeleryReceiver:
    """Have every message carry the ids, and every task bind them. The receiver lives as long as the answer is kept."""
    modify_context_before_task_publish.connect(_keep_ids)
    bind_extra_task_metadata.connect(_name_task)
    receiver = CeleryReceiver()
    receiver.connect_worker_signals()
    return receiver


def _keep_ids(context: dict[str, Any], **_: object) -> None:
    ids = _ids(context)
    context.clear()
    context.update(ids)


def _name_task(task: Any, **_: object) -> None:
    structlog.contextvars.bind_contextvars(task=task.name)
