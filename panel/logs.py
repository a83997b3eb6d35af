"""Logs: lines to read while debugging, JSON otherwise, each with the ids of its request, task and operation.

Texts from outside may hold control characters. JSON escapes them; lines to read have them escaped here.
"""

from __future__ import annotations

import logging.config
import re

import structlog

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

_SHARED: list[structlog.types.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
]

# Of a task that failed there is a line already, with its ids (panel.trails); these would tell of it once more.
_TOLD_ELSEWHERE = ("celery.app.trace",)
# Below WARNING these log request bodies and tokens, or several lines for every look at AWS.
_TALKATIVE = (
    "botocore",
    "boto3",
    "urllib3",
    "celery.worker.strategy",
    "celery.worker.request",
    "celery.beat",
)


def configure(*, readable: bool) -> None:
    """Send our logs and those of every library through one formatter to standard error."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(_standard_library(readable=readable))


def _standard_library(*, readable: bool) -> dict[str, object]:
    rendering: list[structlog.types.Processor] = (
        [_escaped, structlog.dev.ConsoleRenderer(colors=False)] if readable else [structlog.processors.JSONRenderer()]
    )
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": _SHARED,
        "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *rendering],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"ours": formatter},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "ours"}},
        "root": {"handlers": ["stderr"], "level": "INFO"},
        "loggers": {
            **{name: {"level": "WARNING"} for name in _TALKATIVE},
            **{name: {"level": "CRITICAL"} for name in _TOLD_ELSEWHERE},
        },
    }


def _escaped(_logger: object, _method: str, event: structlog.types.EventDict) -> structlog.types.EventDict:
    """A traceback keeps its lines: it is ours."""
    return {key: _without_controls(value) if key != "exception" else value for key, value in event.items()}


def _without_controls(value: object) -> object:
    return CONTROL.sub(lambda found: repr(found[0])[1:-1], value) if isinstance(value, str) else value
