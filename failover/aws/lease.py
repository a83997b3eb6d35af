"""A lease in a DynamoDB table, for controllers that share no database with the panel.

One item per application: who holds it and until when, and what the next holder needs to go on. It follows the protocol
of `failover.leases`; every change is a conditional write on the version that was read.

Source: DynamoDB developer guide, "Condition expressions".
"""

from __future__ import annotations

import json
import math
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from failover.aws.errors import FAILURES, translate, translated
from failover.leases import LEASE_SECONDS, free_in
from failover.ports import AwsError, Clock

__all__ = ["LEASE_SECONDS", "LeaseHeldError", "TableLease"]

KEY = "application"


class LeaseHeldError(Exception):
    """Somebody else holds the lease; it is free in `seconds` at the latest unless it is renewed."""

    def __init__(self, holder: str, seconds: float) -> None:
        super().__init__(f"{holder} is changing this application; free in {seconds:.0f} s unless it goes on.")
        self.seconds = seconds


@dataclass(frozen=True)
class _Held:
    """What an item says; the defaults stand for no item at all."""

    holder: str = ""
    until: float = 0.0
    version: int = 0
    state: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, item: dict[str, Any]) -> _Held:
        """Raises KeyError, TypeError, ValueError, AttributeError or RecursionError where it is no item of ours."""
        held = cls(
            item["holder"]["S"],
            float(item["until"]["N"]),
            int(item["version"]["N"]),
            json.loads(item.get("state", {"S": "{}"})["S"]),
        )
        if held.version < 1 or not math.isfinite(held.until) or not isinstance(held.state, dict):
            raise ValueError("version, until or state is something else")
        return held


@dataclass
class TableLease:
    """Implements `failover.ports.Lease`. `state` is the JSON that the item carries from one holder to the next."""

    dynamodb: Any
    table: str
    application: str
    clock: Clock = time.time
    holder: str = field(default_factory=lambda: f"controller-{uuid.uuid4().hex[:12]}")
    state: dict[str, Any] = field(default_factory=dict)
    _version: int = 0
    _until: float = 0.0

    def claim(self) -> None:
        """Take the lease and read `state`. Raises LeaseHeldError, AwsError."""
        item = self._read()
        try:
            held = _Held.of(item) if item else _Held()
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise self._odd(error) from error
        until = held.until if held.holder not in ("", self.holder) else None
        wait = free_in(until, self.clock())
        if wait:
            raise LeaseHeldError(held.holder, wait)
        self._version, self.state = held.version, held.state
        self._write(self.holder)

    def renew(self) -> None:
        """Hold on for another lease length, with `state` as it is now. Raises LeaseHeldError where it was lost."""
        self._write(self.holder)

    def release(self) -> None:
        """Give the lease back, with `state` as it is now."""
        self._write("")
        self._until = 0.0

    def seconds_left(self) -> float:
        return max(0.0, self._until - self.clock())

    def _read(self) -> dict[str, Any]:
        with translated("dynamodb:GetItem", self.table):
            answer = self.dynamodb.get_item(TableName=self.table, Key=self._key(), ConsistentRead=True)
            item: dict[str, Any] = answer.get("Item", {})
        return item

    def _odd(self, error: Exception) -> AwsError:
        """Whoever wrote it may be changing the application: it is neither taken nor overwritten."""
        return AwsError(
            "invalid",
            f"The item {KEY} = {self.application!r} of the DynamoDB table {self.table} is no lease of this program "
            f"({type(error).__name__}: {error}).",
            f"Look what wrote it to {self.table}, then delete the item or name another lease_table.",
        )

    def _write(self, holder: str) -> None:
        until = self.clock() + LEASE_SECONDS
        item = {
            **self._key(),
            "holder": {"S": holder},
            "until": {"N": repr(until)},
            "version": {"N": str(self._version + 1)},
            "state": {"S": json.dumps(self.state)},
        }
        try:
            self.dynamodb.put_item(TableName=self.table, Item=item, **self._unchanged())
        except FAILURES as error:
            raise self._lost(error) from error
        self._version += 1
        self._until = until

    def _unchanged(self) -> dict[str, Any]:
        if not self._version:
            return {"ConditionExpression": f"attribute_not_exists({KEY})"}
        return {
            "ConditionExpression": "#version = :seen",
            "ExpressionAttributeNames": {"#version": "version"},
            "ExpressionAttributeValues": {":seen": {"N": str(self._version)}},
        }

    def _lost(self, error: Exception) -> Exception:
        self._until = 0.0
        if isinstance(error, ClientError) and error.response["Error"]["Code"] == "ConditionalCheckFailedException":
            return LeaseHeldError("another controller", LEASE_SECONDS)
        return translate(error, "dynamodb:PutItem", self.table)

    def _key(self) -> dict[str, Any]:
        return {KEY: {"S": self.application}}
