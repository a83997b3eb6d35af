"""Every table of the panel's database, and what keeps it from growing for ever."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import Model, QuerySet

from panel.accounts import retention as sessions
from panel.fleet import history
from panel.ingest import retention as events
from panel.notify import delivering
from panel.probing import rounds

SLACK = timedelta(days=2)  # a day's worth goes at once, and the hour in which nobody looked


@dataclass(frozen=True)
class Bounded:
    """As many rows as something that people set up: applications, targets, accounts, rules."""

    by: str


@dataclass(frozen=True)
class Pruned:
    """Rows leave when `column` is older than `kept`; `only` says which rows that is about."""

    column: str
    kept: timedelta
    only: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Record:
    """Kept for good, because of `why`: it grows with what happens, and not with time alone."""

    why: str


Rule = Bounded | Pruned | Record

_SETTINGS = Bounded("settings")
_PEOPLE = Bounded("accounts")
KEPT: Mapping[str, Rule | tuple[Pruned, ...]] = {
    "fleet_application": Bounded("applications"),
    "fleet_alarmname": Bounded("applications"),
    "fleet_ownedresource": Bounded("applications"),
    "fleet_storedsnapshot": Bounded("applications"),
    "fleet_sample": tuple(Pruned("at", kept, {"seconds": each}) for each, kept in history.KEPT.items()),
    "fleet_heartbeat": Bounded("processes by name"),
    "ingest_webhookkey": _SETTINGS,
    "ingest_event": Pruned("received_at", events.KEPT),
    "ingest_event_applications": Pruned("event__received_at", events.KEPT),
    "operations_operation": Record("what was done to traffic; the applications' history and the drills' refer to it"),
    "operations_journalentry": Record("how each operation went, step by step: its proof"),
    "operations_hold": Record("who held what, when and why"),
    "operations_killswitch": Bounded("one row"),
    "operations_modechange": Record("who let automation do what, when and why"),
    "operations_acknowledgement": Record("one for an operation that failed, at most"),
    "operations_refusal": Bounded("applications, goals and rules"),
    "probing_burst": Pruned("at", rounds.KEPT),
    "drills_drill": Record("the evidence that a failover works"),
    "drills_schedule": Bounded("applications"),
    "accounts_team": _SETTINGS,
    "accounts_membership": _PEOPLE,
    "api_apitoken": _SETTINGS,
    "audit_entry": Pruned("at", timedelta(days=settings.PANEL_AUDIT_DAYS)),
    "audit_tally": Pruned("opened_at", timedelta(minutes=2)),
    "watch_tally": Bounded("names and labels of metrics"),
    "notify_target": _SETTINGS,
    "notify_notice": Pruned("last_at", delivering.KEPT),
    "notify_delivery": Pruned("notice__last_at", delivering.KEPT),
    "notify_part": Bounded("parts of the panel"),
    "auth_permission": Bounded("models"),
    "auth_group_permissions": _PEOPLE,
    "auth_group": _PEOPLE,
    "auth_user_groups": _PEOPLE,
    "auth_user_user_permissions": _PEOPLE,
    "auth_user": _PEOPLE,
    "django_content_type": Bounded("models"),
    "django_migrations": Bounded("releases"),
    "django_session": Pruned("expire_date", sessions.KEPT),
    "account_emailaddress": _PEOPLE,
    "account_emailconfirmation": _PEOPLE,
    "mfa_authenticator": _PEOPLE,
    "socialaccount_socialapp": _SETTINGS,
    "socialaccount_socialaccount": _PEOPLE,
    "socialaccount_socialtoken": _PEOPLE,
    "usersessions_usersession": Pruned(
        "last_seen_at", timedelta(hours=settings.PANEL_SESSION_HOURS) + sessions.KEPT
    ),
}  # fmt: skip


def tables() -> list[str]:
    """Every table that there is, whoever made it."""
    own = ("sqlite_",)
    return sorted(name for name in connection.introspection.table_names() if not name.startswith(own))


def rows() -> dict[str, int]:
    """How many rows each table has."""
    counted = {}
    with connection.cursor() as cursor:
        for name in tables():
            cursor.execute(f"SELECT count(*) FROM {connection.ops.quote_name(name)}")  # noqa: S608 - our own names
            counted[name] = int(cursor.fetchone()[0])
    return counted


def beyond_retention(now: datetime) -> Iterator[str]:
    """A sentence for each table that has rows which should be gone."""
    for name, rule in KEPT.items():
        for each in rule if isinstance(rule, tuple) else (rule,):
            if isinstance(each, Pruned):
                found = _older(name, each, now).count()
                if found:
                    yield f"{name} has {found} rows whose {each.column} is older than {each.kept + SLACK}."


def _older(name: str, rule: Pruned, now: datetime) -> QuerySet[Model]:
    limit = {f"{rule.column}__lt": now - rule.kept - SLACK}
    return _models()[name]._default_manager.filter(**limit, **(rule.only or {}))  # noqa: SLF001 - Django's own way


def _models() -> dict[str, type[Model]]:
    return {model._meta.db_table: model for model in apps.get_models(include_auto_created=True)}  # noqa: SLF001
