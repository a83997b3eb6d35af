"""What people, commands and the panel do, as the audit trail tells it."""

from __future__ import annotations

from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.management import CommandError, call_command
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone

from panel import audit
from panel.accounts import members
from panel.audit import chain
from panel.audit.models import Entry
from panel.audit.verification import verify
from panel.fleet.applications import import_document
from panel.fleet.models import Application
from panel.operations import services
from panel.operations.models import Hold, Operation
from panel.operations.stepping import step_operation
from tests.panel.fake_aws import FakeAws

PASSWORD = "correct-horse-battery"
LOGIN = "/accounts/login/"


@pytest.fixture
def ada(db: None, settings: Any) -> User:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one is slow on purpose
    cache.clear()
    return User.objects.create_superuser("ada", password=PASSWORD)


@pytest.fixture
def browser(ada: User) -> Client:
    client = Client()
    client.force_login(ada)
    return client


def told(*names: str) -> list[tuple[Any, ...]]:
    """These columns of all entries, oldest first."""
    return list(Entry.objects.order_by("pk").values_list(*names))


def last() -> Entry:
    return Entry.objects.latest("pk")


# ---- people ----


def test_a_login_and_a_logout_name_person_address_and_request(ada: User) -> None:
    client = Client()
    response = client.post(LOGIN, {"login": "ada", "password": PASSWORD}, REMOTE_ADDR="192.0.2.7")
    client.post("/accounts/logout/", REMOTE_ADDR="192.0.2.7")

    assert told("action", "outcome", "actor", "address") == [
        ("login", "done", "ada", "192.0.2.7"),
        ("logout", "done", "ada", "192.0.2.7"),
    ]
    assert Entry.objects.earliest("pk").request_id == response["X-Request-Id"]


def test_a_changed_password_is_told_and_not_what_it_is(browser: Client) -> None:
    new = "another-horse-battery"
    browser.post("/accounts/password/change/", {"oldpassword": PASSWORD, "password1": new, "password2": new})

    assert ("password.change", "ada") in told("action", "actor")
    assert "horse" not in str(list(Entry.objects.values()))


def test_nobody_gets_in_while_it_can_not_be_recorded(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise DatabaseError("disk full")

    monkeypatch.setattr(chain, "append", fail)
    client = Client(raise_request_exception=False)

    assert client.post(LOGIN, {"login": "ada", "password": PASSWORD}).status_code == 500
    assert client.get("/").status_code == 302, "not logged in"


@pytest.mark.parametrize(
    ("https", "forwarded", "address"),
    [
        (False, "198.51.100.1", "192.0.2.7"),
        (True, "6.6.6.6, 198.51.100.1", "198.51.100.1"),
        (True, "<script>", ""),
    ],
    ids=["nobody in between", "our load balancer's word", "nonsense"],
)
def test_an_address_is_believed_only_from_our_load_balancer(
    browser: Client, settings: Any, https: bool, forwarded: str, address: str
) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = int(https)

    browser.post("/accounts/logout/", REMOTE_ADDR="192.0.2.7", headers={"X-Forwarded-For": forwarded})

    assert last().address == address


# ---- operations, holds, modes ----


def test_an_operation_is_told_from_start_to_end(browser: Client, application: Application, aws: FakeAws) -> None:
    browser.post("/applications/checkout/failover/", {"reason": "Lambda is slow"})
    operation = Operation.objects.get()
    browser.post(f"/operations/{operation.pk}/cancel/", {"reason": "calm again"})
    step_operation(operation.pk)

    start, cancel = Entry.objects.filter(subject=f"failover #{operation.pk}").order_by("pk")[:2]
    assert (start.action, start.actor, start.application, start.reason) == (
        "operation.start", "ada", "checkout", "Lambda is slow",
    )  # fmt: skip
    assert start.after == {"goal": "failover"}
    assert (cancel.action, cancel.actor, cancel.reason) == ("operation.cancel", "ada", "calm again")
    end = Entry.objects.get(action="operation.end")
    assert (end.actor, end.after["status"]) == ("panel", "cancelled")
    assert verify([settings.SECRET_KEY]).problem == ""


def test_what_the_panel_starts_by_itself_is_its_own(application: Application) -> None:
    services.request_operation(
        application, "set_weights", trigger="automatic", reason="Lambda throttles", weights=(90, 10)
    )

    assert (last().actor, last().address) == ("panel", "")
    assert last().after == {"goal": "set_weights", "weights": {"lambda": 90, "ecs": 10}}


def test_superseding_names_the_old_one_and_the_new_one(application: Application, ada: User) -> None:
    old = services.request_operation(application, "failover", trigger="automatic", reason="Lambda throttles")
    new = services.supersede_operation(old, "failback", reason="the wrong way", user=ada)

    assert told("action", "subject", "actor")[2:] == [
        ("operation.start", str(new), "ada"),
        ("operation.supersede", str(old), "ada"),
    ]


def test_a_refused_operation_names_rule_and_person(browser: Client, application: Application) -> None:
    services.request_operation(application, "failover", trigger="automatic", reason="Lambda throttles")

    assert browser.post("/applications/checkout/failback/", {"reason": "now"}).status_code == 409

    assert (last().action, last().outcome, last().actor) == ("operation.start", "refused", "ada")
    assert last().after == {"rule": "single_writer", "goal": "failback"}
    assert "one operation at a time" in last().reason


def test_cancelling_what_has_ended_is_told_as_refused(browser: Client, application: Application) -> None:
    operation = services.request_operation(application, "failover", trigger="automatic", reason="Lambda throttles")
    Operation.objects.update(status="succeeded", finished_at=timezone.now(), next_step_at=None)

    browser.post(f"/operations/{operation.pk}/cancel/", {"reason": "stop"})

    assert (last().action, last().outcome, last().subject) == ("operation.cancel", "refused", str(operation))


def test_a_hold_is_told_with_its_end_and_its_release(browser: Client, application: Application) -> None:
    browser.post("/applications/checkout/hold/", {"reason": "deploying", "minutes": 60})
    browser.post("/applications/checkout/release/")
    hold = Hold.objects.get()

    assert told("action", "actor", "application", "subject")[1:] == [
        ("hold.place", "ada", "checkout", f"hold #{hold.pk}"),
        ("hold.release", "ada", "checkout", f"hold #{hold.pk}"),
    ]
    assert Entry.objects.get(action="hold.place").after == {"until": hold.expires_at.isoformat(timespec="seconds")}
    services.release_hold(hold, by="bo")
    assert last().actor == "ada", "it was released already"


def test_a_mode_is_told_with_the_one_before(application: Application) -> None:
    services.set_mode(application, "off", by="ada", reason="a fair")

    assert (last().action, last().before, last().after) == ("mode.set", {"mode": "auto"}, {"mode": "off"})
    assert last().reason == "a fair"


def test_what_is_not_done_is_not_told(application: Application) -> None:
    before = Entry.objects.count()
    with pytest.raises(services.Invalid):
        services.set_mode(application, "panic", by="ada", reason="a fair")
    with pytest.raises(services.Invalid):
        services.place_hold(application, owner="ada", reason=" ", minutes=5)

    assert Entry.objects.count() == before


def test_nothing_is_done_that_can_not_be_told(application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: object) -> None:
        raise DatabaseError("disk full")

    monkeypatch.setattr(chain, "append", fail)

    with pytest.raises(DatabaseError):
        services.set_mode(application, "off", by="ada", reason="a fair")
    with pytest.raises(DatabaseError):
        services.place_hold(application, owner="ada", reason="deploying", minutes=5)

    application.refresh_from_db()
    assert (application.mode, Hold.objects.count()) == ("auto", 0)


# ---- commands ----


def run(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, stderr=StringIO())
    return out.getvalue()


@pytest.mark.django_db
def test_webhook_keys_are_told_by_name_and_never_by_secret() -> None:
    secret = run("create_webhook_key", "prod").strip()
    run("revoke_webhook_key", "prod")

    assert told("action", "actor", "subject") == [
        ("webhook_key.create", "command line", "prod"),
        ("webhook_key.revoke", "command line", "prod"),
    ]
    assert secret not in str(list(Entry.objects.values()))


@pytest.mark.django_db
def test_a_key_that_was_not_made_or_revoked_is_not_told() -> None:
    run("create_webhook_key", "prod")
    for command in (("create_webhook_key", "prod"), ("revoke_webhook_key", "nobody")):
        with pytest.raises(CommandError):
            run(*command)

    assert Entry.objects.count() == 1


def test_an_import_is_told_with_the_keys_that_differ(application: Application, document: dict[str, Any]) -> None:
    document["application"]["alarms"] = ["busy", "throttled"]
    document["policy"]["failover_count"] = 4
    del document["policy"]["bake_seconds"]
    import_document(document, "checkout.toml")
    import_document(document, "checkout.toml")

    assert told("action", "application", "subject")[1:] == [("application.import", "checkout", "checkout.toml")]
    assert last().before == {"application.alarms": ["busy"], "policy.bake_seconds": 0}
    assert last().after == {"application.alarms": ["busy", "throttled"], "policy.failover_count": 4}


@pytest.mark.django_db
def test_an_import_on_the_command_line_says_so(tmp_path: Path, document: dict[str, Any]) -> None:
    with audit.acting("somebody before"):
        import_document(document, "checkout.toml")
    elb = "arn:aws:elasticloadbalancing:sa-east-1:123456789012"
    file = tmp_path / "basket.toml"
    file.write_text(
        '[application]\nslug = "basket"\nregion = "sa-east-1"\nalarms = ["busy"]\n'
        f'[lambda]\nfunction_name = "b"\ntarget_group_arn = "{elb}:targetgroup/b-l/1"\n'
        f'[ecs]\ncluster = "apis"\nservice = "basket"\ntarget_group_arn = "{elb}:targetgroup/b-e/2"\n'
        f'[[routes]]\nlistener_arn = "{elb}:listener/app/b/3/4"\n'
    )

    run("import_application", str(file))

    assert told("actor", "application") == [("somebody before", "checkout"), ("command line", "basket")]


def test_the_kill_switch_and_an_acknowledgement_are_told(application: Application, ada: User) -> None:
    services.set_kill_switch(on=True, by="ada", reason="AWS is acting up")
    assert (last().action, last().before, last().after) == ("kill_switch.set", {"on": False}, {"on": True})
    Operation.objects.create(
        application=application, goal="failover", trigger="automatic", reason="x", document=application.document,
        status="failed", finished_at=timezone.now(),
    )  # fmt: skip
    services.acknowledge(application, by="ada", comment="the image was broken")
    assert (last().action, last().actor, last().reason) == ("acknowledge", "ada", "the image was broken")


def test_who_is_in_which_team_is_told(ada: User) -> None:
    members.set_role(ada, None, "viewer")
    assert (last().action, last().subject, last().after) == ("member.set", "ada in every team", {"role": "viewer"})
