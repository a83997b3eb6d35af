"""Times as AWS writes them."""

from datetime import UTC, datetime


def second(at: float) -> str:
    """An event's time: ``2019-10-02T17:04:40Z``."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"


def millisecond(at: float) -> str:
    """As ECS writes it inside events: ``2019-10-02T17:04:40.989Z``."""
    return f"{_with_milliseconds(at)}Z"


def offset(at: float) -> str:
    """As CloudWatch writes it inside events: ``2019-10-02T17:04:40.989+0000``."""
    return f"{_with_milliseconds(at)}+0000"


def _with_milliseconds(at: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}"
