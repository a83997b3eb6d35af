"""The chain: each entry's hash covers the entry and the hash of the one before it, under the panel's key."""

from __future__ import annotations

import json
from datetime import UTC
from typing import Any

import structlog
from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from panel.audit import plain
from panel.audit.models import Entry
from panel.audit.origin import current

GENESIS = "0" * 64  # what the very first entry follows
CHAIN_LOCK = 0x61756469  # any number that no other advisory lock of this database has
HASHED = (
    "actor",
    "address",
    "action",
    "outcome",
    "application",
    "subject",
    "before",
    "after",
    "reason",
    "request_id",
    "deleted_to",
    "previous_hash",
)
log = structlog.get_logger(__name__)


def append(*, actor: str, deleted_to: int | None = None, **facts: Any) -> Entry:
    """Add an entry at the end of the chain, in the present transaction or in one of its own."""
    origin = current()
    entry = Entry(
        action=facts["action"],
        outcome=facts["outcome"],
        actor=plain.text(actor or origin.actor, 150),
        address=plain.text(origin.address, 45),
        application=plain.text(facts["application"], 60),
        subject=plain.text(facts["subject"], 300),
        before=plain.data(facts["before"]),
        after=plain.data(facts["after"]),
        reason=plain.text(facts["reason"]),
        request_id=plain.text(origin.logged_as, 64),
        deleted_to=deleted_to,
    )
    with transaction.atomic():
        hold_the_end()
        entry.at = timezone.now()
        entry.previous_hash = Entry.objects.order_by("-pk").values_list("hash", flat=True).first() or GENESIS
        entry.hash = digest(entry, settings.SECRET_KEY)
        entry.save(force_insert=True)
        # The log is kept elsewhere: a hash in it shows up a trail that lost its end, which no chain can show by itself.
        transaction.on_commit(
            lambda: log.info(
                "audit", entry=entry.pk, action=str(entry.action), outcome=str(entry.outcome), hash=entry.hash
            )
        )
    return entry


def hold_the_end() -> None:
    """Wait until nobody else appends, and let nobody else do so before this transaction ends.

    SQLite needs nothing: a transaction of the panel's holds the database's only write lock from its start.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [CHAIN_LOCK])


def digest(entry: Entry, key: str) -> str:
    """The hash that `entry` must have under `key`."""
    content = {name: getattr(entry, name) for name in HASHED}
    content["at"] = entry.at.astimezone(UTC).isoformat(timespec="microseconds")
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return salted_hmac("panel.audit.chain", canonical, secret=key, algorithm="sha256").hexdigest()
