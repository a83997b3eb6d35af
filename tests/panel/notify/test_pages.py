"""The page: who may, what is shown, and what is never shown again."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator

import pytest
from django.contrib.auth.models import User
from django.test import Client

from panel.accounts.members import set_role
from panel.accounts.models import Team
from panel.audit.models import Entry
from panel.fleet.models import Application
from panel.notify import outbox, sealing, targets
from panel.notify.models import Delivery, Target
from tests.panel.notify.conftest import outcome
from tests.panel.receivers import Receiver

PAGE = "/settings/notifications/"
SECRETS = ("hunter2", "t0ken-in-the-path", "whsec_")


@pytest.fixture(autouse=True)
def _quick(settings: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("panel.broker.answers", lambda: True)


def browser(role: str, team: Team | None) -> Client:
    user = User.objects.create_user(f"{role}-{team.slug if team else 'all'}")
    set_role(user, team, role)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def admin(team: Team) -> Client:
    return browser("admin", team)


def form(receiver: Receiver, **more: object) -> dict[str, object]:
    address = f"{receiver.url}/t0ken-in-the-path"
    return {"name": "CI", "way": "webhook", "address": address, "kinds": ["failover.failed", "refused"], **more}


def test_an_admin_adds_a_webhook_and_sees_its_secret_once(admin: Client, receiver: Receiver) -> None:
    empty = admin.get(PAGE).content.decode()
    assert "Nobody is told yet" in empty
    answer = admin.post(f"{PAGE}add/default/", form(receiver))
    shown = re.search(r"whsec_[\w-]{40,}", answer.content.decode())
    assert answer.status_code == 200
    assert shown
    target = Target.objects.get()
    assert sealing.unseal(target.secret) == shown[0]
    assert sealing.unseal(target.address) == f"{receiver.url}/t0ken-in-the-path"
    again = admin.get(PAGE).content.decode() + admin.get(f"{PAGE}{target.pk}/").content.decode()
    assert receiver.url + "/…" in again
    assert not any(secret in again for secret in SECRETS)


def test_the_settings_lead_there(admin: Client, team: Team) -> None:
    assert f'href="{PAGE}"' in admin.get("/settings/teams/").content.decode()
    assert f'href="{PAGE}" aria-current="page"' in admin.get(PAGE).content.decode()
    assert f'href="{PAGE}"' not in browser("operator", team).get("/settings/teams/").content.decode()


def test_defaults_are_sensible_and_the_panel_is_for_targets_of_every_team(admin: Client, team: Team) -> None:
    page = admin.get(f"{PAGE}add/default/").content.decode()
    checked = set(re.findall(r'value="([\w.]+)"[^>]*checked', page)) - {"apprise"}
    assert {"failover.failed", "people.paged", "no_data"} <= checked
    assert "refused.waits" not in checked
    assert "panel.sick" not in page
    assert "panel.sick" in browser("admin", None).get(f"{PAGE}add/every-team/").content.decode()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"name": " "}, "Give it a name that says who reads it"),
        ({"address": ""}, "Enter the address"),
        ({"address": "http://169.254.169.254/latest"}, "a cloud&#x27;s metadata service"),
        ({"address": "javascript:alert(1)"}, "addresses like https://host.example.com/path"),
        ({"way": "apprise", "address": "file:///etc/passwd"}, "slack://"),
        ({"kinds": []}, "Choose at least one kind"),
        ({"kinds": ["panel.sick"]}, "panel.sick is nothing that this target can be told of"),
        ({"way": "pigeon"}, "Choose one of the three ways"),
    ],
)
def test_what_makes_no_sense_is_a_sentence_and_what_was_typed_stays(
    admin: Client, receiver: Receiver, given: dict[str, object], sentence: str
) -> None:
    answer = admin.post(f"{PAGE}add/default/", form(receiver, **given))
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert not Target.objects.exists()


def test_a_name_is_taken_once_in_a_team(admin: Client, receiver: Receiver) -> None:
    admin.post(f"{PAGE}add/default/", form(receiver))
    assert (
        "There is a target &#x27;CI&#x27; already" in admin.post(f"{PAGE}add/default/", form(receiver)).content.decode()
    )


def test_changing_keeps_the_address_that_is_not_typed(admin: Client, receiver: Receiver) -> None:
    admin.post(f"{PAGE}add/default/", form(receiver))
    before = Target.objects.get()
    url = f"{PAGE}{before.pk}/"
    assert admin.post(url, {"name": "CI 2", "kinds": ["refused"], "address": ""}).status_code == 302
    after = Target.objects.get()
    assert (after.name, after.kinds, after.address) == ("CI 2", ["refused"], before.address)
    admin.post(url, {"name": "CI 2", "kinds": ["refused"], "address": f"{receiver.url}/other"})
    assert sealing.unseal(Target.objects.get().address) == f"{receiver.url}/other"
    entries = list(Entry.objects.filter(action="notification.change").order_by("pk").values_list("before", "after"))
    assert entries == [
        ({"name": "CI", "kinds": "failover.failed, refused"}, {"name": "CI 2", "kinds": "refused"}),
        ({}, {"address": "entered anew"}),
    ]


def test_a_test_goes_the_way_of_everything_and_its_outcome_shows(
    admin: Client, receiver: Receiver, deliver: Callable[[], None]
) -> None:
    admin.post(f"{PAGE}add/default/", form(receiver))
    receiver.answers = [500, 204]
    url = f"{PAGE}{Target.objects.get().pk}/test/"
    page = admin.post(url, follow=True).content.decode()
    assert "A test for CI is on its way" in page
    assert 'hx-trigger="load delay:2s"' in page, "the log is read again while something waits"
    deliver()
    page = admin.get(f"{PAGE}log/").content.decode()
    assert "127.0.0.1 answered 500." in page
    assert "gave up" in page
    assert "hx-trigger" not in page
    admin.post(url)
    deliver()
    assert "delivered" in admin.get(f"{PAGE}log/").content.decode()
    assert outcome() == [("gave up", 1), ("delivered", 1)]
    assert admin.get(url).status_code == 405


def test_removing_asks_first_and_says_what_will_not_be_sent(
    admin: Client, receiver: Receiver, application: Application
) -> None:
    admin.post(f"{PAGE}add/default/", form(receiver))
    outbox.tell("refused", application, subject="failover (mode)", what="The mode is off.")
    url = f"{PAGE}{Target.objects.get().pk}/remove/"
    assert "1 notification still waits for it" in admin.get(url).content.decode()
    assert admin.post(url).status_code == 302
    assert not Target.objects.exists()
    assert "The target was removed." in admin.get(PAGE).content.decode()


@pytest.mark.parametrize("role", ["viewer", "operator"])
def test_who_manages_nothing_is_turned_away(role: str, team: Team, told: targets.Added) -> None:
    client, pk = browser(role, team), told.target.pk
    for url in (PAGE, f"{PAGE}log/", f"{PAGE}add/default/", f"{PAGE}{pk}/", f"{PAGE}{pk}/remove/"):
        answer = client.get(url)
        assert answer.status_code == 403
        assert "say who is told of what" in answer.content.decode()
    assert client.post(f"{PAGE}{pk}/test/").status_code == 403
    assert Entry.objects.filter(action="denied", outcome="denied").exists()
    assert not Delivery.objects.exists()


def test_another_teams_targets_do_not_exist(admin: Client, told: targets.Added, application: Application) -> None:
    other = Team.objects.create(slug="other", name="Other")
    theirs = targets.add(other, "theirs", "console", "", ["hold.placed"], by="b").target
    outbox.tell("hold.placed", None, subject="every application", what="until noon", by="b")
    for target in (theirs, told.target):
        assert admin.get(f"{PAGE}{target.pk}/").status_code == 404
        assert admin.post(f"{PAGE}{target.pk}/test/").status_code == 404
        assert admin.post(f"{PAGE}{target.pk}/remove/").status_code == 404
    assert admin.get(f"{PAGE}add/other/").status_code == 404
    assert admin.get(f"{PAGE}add/every-team/").status_code == 403
    page = admin.get(PAGE).content.decode()
    assert "theirs" not in page
    assert "the log of all" not in page
    assert Target.objects.count() == 2


@pytest.fixture
def everything_logged(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    with caplog.at_level(logging.DEBUG):
        yield caplog


def test_secrets_are_in_no_log_page_audit_entry_or_row(
    admin: Client,
    receiver: Receiver,
    application: Application,
    deliver: Callable[[], None],
    everything_logged: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    host = receiver.url.removeprefix("http://")
    addresses = [
        ("webhook", f"{receiver.url}/t0ken-in-the-path"),
        ("apprise", f"json://me:hunter2@{host}/t0ken-in-the-path"),
        ("apprise", "tgram://123456789:hunter2_hijklmnop/12315544/"),
    ]
    for number, (way, address) in enumerate(addresses):
        given = form(receiver, name=f"target {number}", way=way, address=address)
        assert admin.post(f"{PAGE}add/default/", given).status_code in (200, 302)
    receiver.answers = [500]
    Target.objects.filter(shown__startswith="tgram").update(kinds=[])
    outbox.tell("refused", application, subject="failover (mode)", what="The mode is off.")
    deliver()
    assert len(receiver.heard) == 2
    page = admin.get(PAGE).content.decode()
    rows = (
        repr(list(Target.objects.values())) + repr(list(Delivery.objects.values())) + repr(list(Entry.objects.values()))
    )
    said = everything_logged.text + "".join(capsys.readouterr())
    for secret in SECRETS:
        assert secret not in page
        assert secret not in rows
        assert secret not in said
    assert Entry.objects.filter(action="notification.add").count() == 3
    assert "tgram://…" in page
