"""What the API was asked, for the lab's page: calls of the last minute, and what is left in the buckets."""

from typing import Any

from lab.cloud import Cloud
from lab.recent import Recent
from lab.refusals import THROTTLED_CODES
from lab.wire.dispatch import Asked

MINUTE = 60


def calls(recent: Recent[Asked], now: float) -> list[dict[str, Any]]:
    """By action, of all accounts, in the order of their names."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for asked, count in recent.total(int(now) - MINUTE, now + 1).items():
        row = rows.setdefault((asked.service, asked.action), _empty(asked))
        row["calls"] += count
        if asked.refused in THROTTLED_CODES:
            row["throttled"] += count
        elif asked.refused:
            row["refused"] += count
            row["refusals"] = sorted({*row["refusals"], asked.refused})
    return [rows[name] for name in sorted(rows)]


def buckets(cloud: Cloud, account: str, region: str, now: float) -> list[dict[str, Any]]:
    """What is left of each, in requests; the switch api_throttled keeps all of them empty."""
    emptied = cloud.faults.flag("api_throttled")
    return [
        {"name": limit.name, "left": 0.0 if emptied else left, "capacity": limit.capacity, "refill": limit.refill}
        for limit, left in cloud.throttling.levels(account, region, now).items()
    ]


def _empty(asked: Asked) -> dict[str, Any]:
    name = f"{asked.service}:{asked.action}"
    return {"action": name, "calls": 0, "throttled": 0, "refused": 0, "refusals": []}
