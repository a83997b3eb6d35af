"""Who was turned away: each is told, and a flood is told once a minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import DatabaseError
from django.test import Client

from panel.accounts import members
from panel.audit import Action, denials
from panel.audit.models import Entry, Tally
from panel.fleet.models import Application
from panel.ingest import keys

HOOK = "/webhooks/eventbridge"
MINUTE = timedelta(minutes=1)

pytestmark = pytest.mark.django_db


def knock(times: int = 1, address: str = "192.0.2.7", secret: str = "wrong") -> None:
    client = Client()
    for _ in range(times):
        headers = {"X-Api-Key": secret} if secret else {}
        answer = client.post(HOOK, {}, content_type="application/json", headers=headers, REMOTE_ADDR=address)
        assert answer.status_code == 401


def minute_later(minutes: float = 1) -> None:
    """What was counted is written, and the sweep passes."""
    now = datetime.now(UTC) + minutes * MINUTE
    denials.write_due(now)
    denials.close_windows(now)


def told(*names: str) -> list[tuple[Any, ...]]:
    return list(Entry.objects.exclude(action="webhook_key.create").order_by("pk").values_list(*names))


# ---- what counts ----


@pytest.mark.parametrize(
    ("secret", "reason"), [("", "No webhook key was sent."), ("wrong", "The webhook key is unknown.")]
)
def test_a_webhook_without_a_good_key_is_told_at_once(secret: str, reason: str) -> None:
    knock(secret=secret)

    assert told("action", "outcome", "actor", "address", "subject", "reason", "after") == [
        ("denied", "denied", "", "192.0.2.7", "webhook", reason, {})
    ]


def test_a_revoked_key_that_is_still_in_use_is_named_and_its_secret_is_not(key: str) -> None:
    keys.revoke("eventbridge")
    knock(secret=key)

    assert Entry.objects.latest("pk").reason == "The webhook key eventbridge is revoked."
    assert key not in str(list(Entry.objects.values()))


def test_a_failed_login_tells_the_name_that_was_tried_and_not_the_password(settings: Any) -> None:
    cache.clear()
    Client().post("/accounts/login/", {"login": "root\x1b[2J", "password": "hunter2"}, REMOTE_ADDR="192.0.2.7")

    assert told("action", "outcome", "actor", "address", "subject") == [
        ("login.failed", "denied", "", "192.0.2.7", "root\ufffd[2J")
    ]
    assert "hunter2" not in str(list(Entry.objects.values()))


def test_a_forged_form_is_told_with_djangos_reason(django_user_model: type[User]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(django_user_model.objects.create_user("ada"))

    assert client.post("/applications/checkout/failover/", {"reason": "x"}).status_code == 403

    entry = Entry.objects.get()
    assert (entry.action, entry.actor, entry.subject) == ("denied", "ada", "POST web:failover")
    assert entry.reason.startswith("CSRF: ")


def test_who_may_not_act_is_told_with_what_was_asked_for(
    django_user_model: type[User], application: Application
) -> None:
    client, bo = Client(), django_user_model.objects.create_user("bo")
    members.set_role(bo, application.team, "viewer")
    client.force_login(bo)

    assert client.post("/applications/checkout/failover/", {"reason": "x"}).status_code == 403

    entry = Entry.objects.latest("pk")
    assert (entry.action, entry.actor, entry.subject) == ("denied", "bo", "POST web:failover")
    assert entry.reason.startswith("You may not fail over")


def test_a_page_that_needs_a_login_denies_nobody() -> None:
    Client().get("/")
    Client().get("/", headers={"HX-Request": "true"})

    assert not Entry.objects.exists()


# ---- floods ----


def test_a_flood_is_one_entry_a_minute_with_a_count() -> None:
    knock(200)
    minute_later()
    assert told("after") == [({},), ({"count": 199, "since": told("at")[0][0].isoformat(timespec="seconds")},)]

    minute_later(1.5)
    assert Entry.objects.count() == 2, "the minute is not over"
    knock(50)
    minute_later(2.1)

    assert [after.get("count") for (after,) in told("after")] == [None, 199, 50]


def test_after_a_quiet_minute_nothing_is_kept_and_the_next_one_is_told_at_once() -> None:
    knock()
    minute_later()
    assert (Entry.objects.count(), Tally.objects.count()) == (1, 0)

    denials.pending._written_at = None
    knock()

    assert Entry.objects.count() == 2


def test_each_address_is_counted_by_itself() -> None:
    for address in ("192.0.2.7", "192.0.2.8"):
        knock(3, address)
    minute_later()
    minute_later(2)

    assert {address for (address,) in told("address")} == {"192.0.2.7", "192.0.2.8"}
    assert sum(after.get("count", 1) for (after,) in told("after")) == 6


def test_an_ipv6_client_can_not_choose_a_new_address_each_time() -> None:
    for host in range(5):
        knock(1, f"2001:db8:0:7::{host:x}")
    minute_later()

    assert {address for (address,) in told("address")} == {"2001:db8:0:7::/64"}


def test_many_addresses_fill_no_disk() -> None:
    for number in range(200):
        knock(1, f"10.0.0.{number}")
    minute_later()
    minute_later(2)

    assert Entry.objects.count() <= 2 * (denials.MOST_AT_ONCE + 1)
    assert Tally.objects.count() <= denials.MOST_AT_ONCE + 1
    assert Entry.objects.filter(address="many addresses").exists()
    assert sum(after.get("count", 1) for (after,) in told("after")) == 200, "none is forgotten"


def test_a_flood_costs_the_database_at_most_one_write_a_second(django_assert_max_num_queries: Any) -> None:
    knock()
    now = datetime.now(UTC)
    denials.pending._written_at = now

    with django_assert_max_num_queries(0):
        for thousandth in range(999):
            denials.note(Action.DENIED, subject="webhook")
            denials.write_due(now + timedelta(milliseconds=thousandth))
    denials.write_due(now + timedelta(seconds=1))

    assert Tally.objects.get(address="").count == 0
    assert Entry.objects.latest("pk").after == {"count": 999}


def test_what_can_not_be_written_is_written_later_and_the_answer_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise DatabaseError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(denials, "_write", fail)
        knock(2)
    assert not Entry.objects.exists()

    minute_later()

    assert told("after") == [({"count": 2},)]


def test_the_next_request_of_any_kind_writes_what_is_left() -> None:
    knock()
    denials.pending._written_at = datetime.now(UTC) + timedelta(days=1)
    knock(2)
    assert Tally.objects.get().count == 0
    denials.pending._written_at = datetime.now(UTC) - timedelta(seconds=2)

    Client().get("/healthz")

    assert Tally.objects.get().count == 2
