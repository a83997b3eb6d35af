"""Every address of the panel, asked for by everybody: exactly what the role table says, and each denial is recorded.

An address without a row fails here: say in `ROWS` (or, of the login pages, in `OPEN`) who may have it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone

from panel.accounts import members, roles
from panel.accounts.models import Team, default_team
from panel.accounts.roles import Role
from panel.api import tokens
from panel.api.models import ApiToken
from panel.audit import denials
from panel.audit.models import Entry
from panel.drills.models import Drill
from panel.fleet.models import Application
from panel.ingest import keys
from panel.ingest.models import Event, WebhookKey
from panel.notify import targets
from panel.operations.models import Operation
from tests.panel.proofs import prove
from tests.panel.web import examples

ACTED = frozenset({200, 201, 302, 409, 422})  # somebody who may: done, or told what is missing


@dataclass(frozen=True)
class Row:
    """`action` is the line of the role table that it takes; "" is for everybody who is logged in.

    `about`: own (a thing of one team), somewhere (a list of what is in one's teams), panel (every team). `first`: it
    is asked before the thing is looked for, so that who may do it nowhere gets 403 and not 404. `post`: what it takes
    to act, None where nobody can. `hidden`: only who may act on it sees it at all.
    """

    name: str
    action: str = ""
    about: str = "own"
    args: tuple[str, ...] = ()
    more: tuple[str, ...] = ()
    post: str | None = None
    get: int = 200
    first: bool = False
    hidden: bool = False


def acting(name: str, action: str, args: str, **more: Any) -> Row:
    """A form: who may see it may send it."""
    return Row(name, action, args=tuple(args.split()), post=action, **more)


def setting(name: str, action: str, args: str = "", **more: Any) -> Row:
    about = more.pop("about", "own" if args else "somewhere")
    return Row(name, action, args=tuple(args.split()), first=True, about=about, **{"post": action, **more})


ROWS = (
    Row("web:fleet"),
    Row("web:operations"),
    Row("web:events"),
    Row("web:refusals"),
    Row("web:audit"),
    Row("web:audit_download", args=("kind",)),
    Row("web:application", "view", args=("slug",)),
    Row("web:history", "view", args=("slug",)),
    Row("web:operation", "view", args=("operation",)),
    Row("web:event", "view", args=("event",)),
    *(acting(f"web:{name}", "operation.start", "slug") for name in ("failover", "failback", "set_weights")),
    acting("web:hold", "hold.place", "slug"),
    acting("web:release", "hold.release", "slug"),
    acting("web:mode", "mode.set", "slug"),
    acting("web:acknowledge", "acknowledge", "slug"),
    acting("web:cancel", "operation.cancel", "operation"),
    acting("web:retry", "operation.retry", "operation"),
    acting("web:kill_switch_on", "kill_switch.set", "", about="panel"),
    acting("web:kill_switch_off", "kill_switch.set", "", about="panel"),
    acting("web:hold_all", "hold.all", "", about="panel"),
    acting("web:release_all", "hold.all", "", about="panel"),
    Row("web:drills"),
    Row("web:drill", "view", args=("drill",)),
    acting("web:drill_start", "drill.start", "slug"),
    acting("web:rehearsal_start", "drill.start", "slug"),
    acting("web:abort", "drill.start", "drill"),
    Row("settings:home", get=302, post=""),
    setting("settings:applications", "view", post=None),
    setting("settings:application", "view", "slug", post=None),
    setting("settings:application_toml", "view", "slug", post=None),
    setting("settings:first_event", "view", "slug", post=None),
    setting("settings:onboarding", "application.import"),
    setting("settings:import", "application.import"),
    setting("settings:application_new", "application.import"),
    setting("settings:application_edit", "application.import", "slug"),
    setting("settings:application_retire", "application.import", "slug"),
    setting("settings:application_restore", "application.import", "slug"),
    setting("settings:application_move", "team.manage", "slug", about="panel"),
    setting("settings:teams", "view", post=None),
    setting("settings:team", "view", "team", post=None),
    setting("settings:team_new", "team.manage", about="panel"),
    setting("settings:team_rename", "team.manage", "team", about="panel"),
    setting("settings:people", "team.manage", about="panel", post=None),
    setting("settings:person_password", "team.manage", "person", about="panel"),
    setting("settings:person_on", "team.manage", "person", about="panel"),
    setting("settings:person_off", "team.manage", "person", about="panel"),
    setting("settings:person_add", "member.set", "team"),
    setting("settings:person_new", "member.set", "team"),
    setting("settings:person_role", "member.set", "team person"),
    setting("settings:person_remove", "member.set", "team person"),
    setting("notify:notifications", "notification.manage", post=None),
    setting("notify:log", "notification.manage", post=None),
    setting("notify:add", "notification.manage", "team"),
    setting("notify:change", "notification.manage", "target"),
    setting("notify:remove", "notification.manage", "target"),
    setting("notify:test", None, "target", post="notification.manage"),
    setting("settings:tokens", "token.manage", post=None),
    setting("settings:token_new", "token.manage"),
    setting("settings:token_revoke", "token.manage", "token", hidden=True),
    setting("settings:keys", "webhook_key.manage", about="panel", post=None),
    setting("settings:key_new", "webhook_key.manage", about="panel"),
    setting("settings:key_revoke", "webhook_key.manage", "key", about="panel"),
)
# Of the login's own pages (allauth), what a visitor may open. All others ask for a login, and none knows roles.
OPEN = frozenset({
    "account_login", "account_logout", "account_signup", "account_inactive", "account_reset_password",
    "account_reset_password_done", "account_reset_password_from_key", "account_reset_password_from_key_done",
    "account_password_reset_completed", "account_confirm_password_reset_code", "account_complete_password_reset",
    "account_confirm_email", "account_email_verification_sent", "account_confirm_login_code",
})  # fmt: skip


@dataclass(frozen=True)
class Person:
    """`here`, `there`, `everywhere`: their roles in the team of the things that are asked for, in another, in all."""

    name: str
    here: Role = Role.NONE
    there: Role = Role.NONE
    everywhere: Role = Role.NONE

    def may(self, row: Row, action: str) -> bool:
        needed = roles.actions()[action].role if action else Role.NONE
        own = max(self.here, self.everywhere)
        best = {"panel": self.everywhere, "somewhere": max(own, self.there), "own": own}[row.about]
        return best >= needed

    def status(self, row: Row, action: str) -> int:
        """200 stands for whatever an answer to somebody who may is."""
        if self.may(row, action):
            return 200
        somewhere = max(self.here, self.there, self.everywhere) >= roles.actions()[action].role
        if row.about == "own" and not (row.first and not somewhere) and (row.hidden or not self.sees):
            return 404
        return 403

    @property
    def sees(self) -> bool:
        return max(self.here, self.everywhere) >= Role.VIEWER


PEOPLE = (
    Person("stranger"),
    Person("operator of another team", there=Role.OPERATOR),
    Person("admin of another team", there=Role.ADMIN),
    Person("viewer here and admin there", here=Role.VIEWER, there=Role.ADMIN),
    Person("viewer", here=Role.VIEWER),
    Person("operator", here=Role.OPERATOR),
    Person("admin", here=Role.ADMIN),
    Person("fleet viewer", everywhere=Role.VIEWER),
    Person("fleet operator", everywhere=Role.OPERATOR),
    Person("fleet admin", everywhere=Role.ADMIN),
)


@dataclass
class World:
    """One of everything, owned by one team, and what addresses call it."""

    names: dict[str, Any] = field(default_factory=dict)

    def address(self, row: Row) -> str:
        return reverse(row.name, args=[self.names[each] for each in row.args])


@pytest.fixture
def world(db: None, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("panel.broker.answers", lambda: True)
    monkeypatch.setattr("panel.dispatch.wake", lambda *_, **__: None)
    members.set_role(User.objects.create_user("root"), None, "admin")
    members.set_role(bob := User.objects.create_user("bob"), default_team(), "viewer")
    application = examples.application("checkout", examples.snapshot(at=timezone.now().timestamp()))
    event = Event.objects.create(event_id="e", detail_type="An event", body={})
    event.applications.set([application])
    tokens.create("deploy", "viewer", default_team())
    keys.create("eventbridge")
    drill = Drill.objects.create(application=application, kind="drill", reason="monthly")
    target = targets.add(default_team(), "on call", "console", "", ["refused"], by="root").target
    operation: Operation = examples.operation(application, status="failed", trigger="automatic")
    return World({
        "slug": application.slug, "operation": operation.pk, "event": event.pk, "kind": "csv", "team": "default",
        "drill": drill.pk, "person": bob.pk, "token": ApiToken.objects.get().pk, "target": target.pk,
        "key": WebhookKey.objects.get().pk,
    })  # fmt: skip


def browser_of(person: Person) -> Client:
    user = User.objects.create_user(person.name.replace(" ", "-"))
    other = Team.objects.get_or_create(slug="payments", defaults={"name": "Payments"})[0]
    for team, role in ((default_team(), person.here), (other, person.there), (None, person.everywhere)):
        if role is not Role.NONE:
            members.set_role(user, team, role.name.lower())
    client = Client()
    client.force_login(user)
    prove(client, user)
    return client


def asked(client: Client, method: str, address: str) -> tuple[Any, list[str]]:
    """The answer, and who the trail says was turned away; nothing of it lasts."""
    denials.pending._written_at = None
    denials.pending._noted.clear()
    with transaction.atomic():
        response = getattr(client, method)(address)
        if response.streaming:
            list(response.streaming_content)
        turned_away = list(Entry.objects.filter(action="denied").values_list("actor", flat=True))
        transaction.set_rollback(True)
    return response, turned_away


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)
def test_each_person_gets_exactly_what_the_table_says(world: World, person: Person) -> None:
    client, wrong = browser_of(person), []
    name = person.name.replace(" ", "-")
    for row in ROWS:
        for method, action in (("get", row.action), ("post", row.post)):
            response, turned_away = asked(client, method, world.address(row))
            expected = 405 if action is None else person.status(row, action)
            found = response.status_code
            fits = found in ACTED if expected == 200 and method == "post" else found == expected
            fits = fits or (expected == 200 and found == row.get)
            recorded = turned_away == ([name] if expected in (403, 404) else [])
            if not fits or not recorded:
                wrong.append(f"{method} {row.name}: {found}, not {expected}; recorded for {turned_away}")
    assert wrong == []


def nobody() -> Client:
    return Client()


def switched_off() -> Client:
    client = browser_of(Person("gone", here=Role.ADMIN, everywhere=Role.ADMIN))
    User.objects.filter(username="gone").update(is_active=False)
    return client


def expired() -> Client:
    client = browser_of(Person("late", everywhere=Role.ADMIN))
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    return client


@pytest.mark.parametrize("who", [nobody, switched_off, expired], ids=lambda who: who.__name__)
def test_without_a_login_everything_leads_to_it_and_nothing_is_done(world: World, who: Any) -> None:
    client = who()
    for row in ROWS:
        for method in ("get", "post"):
            response, _ = asked(client, method, world.address(row))
            assert response.status_code == 302, row.name
            assert response.url.startswith("/accounts/login/"), row.name
    assert Application.objects.get().retired_at is None
    assert User.objects.get(username="bob").is_active


# ---- nothing is missing ----


def walked(resolver: URLResolver, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address below, with its full name."""
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            yield from walked(each, f"{prefix}{each.namespace}:" if each.namespace else prefix)
        else:
            yield f"{prefix}{each.name}", each


def all_names() -> set[str]:
    return {name for name, _ in walked(get_resolver())}


LOGIN = ("account", "mfa_", "openid_connect_", "socialaccount_", "usersessions_")  # allauth's, and what is made of them


def test_every_address_has_a_row_and_every_row_an_address() -> None:
    rest = {name for name in all_names() if not name.startswith(("api:", *LOGIN)) and name != "None"}
    assert rest == {row.name for row in ROWS}


def test_of_the_logins_own_pages_a_visitor_opens_the_listed_ones_alone(db: None) -> None:
    for name, pattern in walked(get_resolver()):
        if name.startswith(LOGIN) and name not in OPEN:
            given = dict.fromkeys(pattern.pattern.converters, "1") or dict.fromkeys(
                pattern.pattern.regex.groupindex, "1"
            )
            response = Client().get(reverse(name, kwargs=given))
            assert response.status_code in (302, 401, 403, 404, 405), f"{name} answers {response.status_code}"
