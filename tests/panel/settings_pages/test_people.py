"""Teams and people: who is added, made, changed and removed, and what nobody may do."""

import re

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from panel.accounts import members, roles
from panel.accounts.models import Membership, Team
from panel.api import tokens
from panel.audit.models import Entry
from panel.fleet.models import Application
from tests.panel.settings_pages.conftest import Browse, denied, text

TEAM = "/settings/teams/in/default/"
EVERYWHERE = "/settings/teams/in/-/people/"


def test_a_team_is_made_with_an_external_id_and_renamed(fleet_admin: Client) -> None:
    made = fleet_admin.post("/settings/teams/new/", {"slug": "search", "name": "Search"})
    assert made.url == "/settings/teams/in/search/"  # type: ignore[attr-defined]
    team = Team.objects.get(slug="search")
    assert team.external_id in text(fleet_admin.get(made.url))  # type: ignore[attr-defined]
    fleet_admin.post("/settings/teams/in/search/rename/", {"name": "Finders"})
    assert "<h1>Finders</h1>" in text(fleet_admin.get("/settings/teams/in/search/"))
    assert list(Entry.objects.filter(subject="search").order_by("pk").values_list("action", "actor")) == [
        ("team.create", "root"),
        ("team.rename", "root"),
    ]


@pytest.mark.parametrize(
    ("slug", "says"),
    [("", "Give it a short name"), ("default", "already exists"), ("a b", "valid"), ("-", "stands for every team")],
)
def test_a_team_that_can_not_be_is_told_at_its_field(fleet_admin: Client, ours: Team, slug: str, says: str) -> None:
    page = fleet_admin.post("/settings/teams/new/", {"slug": slug, "name": "Kept"})
    assert page.status_code == 422
    assert says in text(page)
    assert 'value="Kept"' in text(page)


def test_the_external_id_is_for_the_teams_administrators(browse: Browse, ours: Team, admin: Client) -> None:
    assert ours.external_id in text(admin.get(TEAM))
    assert ours.external_id not in text(browse("operator", ours).get(TEAM))


def test_somebody_with_an_account_is_added_changed_and_removed(admin: Client, ours: Team) -> None:
    bob = User.objects.create_user("bob")
    admin.post(f"{TEAM}people/add/", {"username": "bob", "role": "viewer"})
    assert members.role_in(bob, ours) == "viewer"
    admin.post(f"{TEAM}people/{bob.pk}/role/", {"role": "operator"})
    assert members.role_in(bob, ours) == "operator"
    assert "Remove bob from Default" in text(admin.get(f"{TEAM}people/{bob.pk}/remove/"))
    assert members.role_in(bob, ours) == "operator", "asking is not doing"
    admin.post(f"{TEAM}people/{bob.pk}/remove/")
    assert members.role_in(bob, ours) == "none"
    assert User.objects.filter(username="bob").exists()


def test_a_name_that_nobody_has_is_told_and_kept(admin: Client) -> None:
    page = admin.post(f"{TEAM}people/add/", {"username": "eve", "role": "viewer"})
    assert page.status_code == 422
    assert "There is no account &#x27;eve&#x27;" in text(page)
    assert 'value="eve"' in text(page)


def test_a_tokens_account_is_nobody_who_could_be_added(admin: Client, ours: Team) -> None:
    tokens.create("deploy", "viewer", ours)
    assert admin.post(f"{TEAM}people/add/", {"username": "token:deploy", "role": "admin"}).status_code == 422
    assert "token:deploy" not in text(admin.get(TEAM))


def test_a_new_account_sets_its_password_through_its_link_once(admin: Client, ours: Team) -> None:
    made = admin.post(f"{TEAM}people/new/", {"username": "bob", "role": "operator"})
    assert made.status_code == 201
    assert made["Cache-Control"] == "no-store"
    link = re.search(r"http://testserver(/accounts/password/reset/key/[^<]+)</code>", text(made))
    assert link
    bob, visitor = User.objects.get(username="bob"), Client()
    assert not bob.has_usable_password()
    form = visitor.get(link[1], follow=True)
    assert "Set your password" in text(form)
    new = {"password1": "correct-horse-9-battery", "password2": "correct-horse-9-battery"}
    visitor.post(form.redirect_chain[-1][0], new)
    assert visitor.post("/accounts/login/", {"login": "bob", "password": new["password1"]}).status_code == 302
    assert "opens nothing any more" in text(Client().get(link[1], follow=True))
    assert link[1] not in str(list(Entry.objects.values())), "the link is a secret"


@pytest.mark.parametrize(("name", "says"), [("ADA", "an account"), ("a b", "valid username"), ("x" * 151, "151")])
def test_an_account_that_can_not_be_made_is_told(admin: Client, name: str, says: str) -> None:
    page = admin.post(f"{TEAM}people/new/", {"username": name, "role": "viewer"})
    assert page.status_code == 422
    assert says in text(page)
    assert User.objects.count() == 1


def test_the_last_fleet_admin_stays_one(fleet_admin: Client) -> None:
    root = User.objects.get(username="root")
    for path, given in (
        (f"{EVERYWHERE}{root.pk}/remove/", {}),
        (f"{EVERYWHERE}{root.pk}/role/", {"role": "viewer"}),
        (f"/settings/teams/people/{root.pk}/off/", {}),
    ):
        assert "the last administrator of every team" in text(fleet_admin.post(path, given, follow=True)), path
        assert roles.may(User.objects.get(username="root"), "team.manage"), path
    with pytest.raises(CommandError, match="last administrator"):
        call_command("set_role", "root", "all", "none")
    ana = User.objects.create_user("ana")
    members.set_role(ana, None, "admin")
    fleet_admin.post(f"{EVERYWHERE}{root.pk}/remove/")
    assert list(members.fleet_admins()) == [ana]


def test_an_administrator_who_can_not_log_in_or_is_a_token_is_no_last_one(fleet_admin: Client) -> None:
    members.set_role(User.objects.create_user("gone", is_active=False), None, "admin")
    tokens.create("deploy", "admin")
    root = User.objects.get(username="root")
    fleet_admin.post(f"{EVERYWHERE}{root.pk}/remove/")
    assert list(members.fleet_admins()) == [root]


def test_an_account_is_switched_off_at_once_and_on_again(fleet_admin: Client, browse: Browse, ours: Team) -> None:
    bob = browse("viewer", ours, "bob")
    pk = User.objects.get(username="bob").pk
    assert bob.get("/").status_code == 200
    fleet_admin.post(f"/settings/teams/people/{pk}/off/")
    assert bob.get("/").status_code == 302
    fleet_admin.post(f"/settings/teams/people/{pk}/on/")
    assert members.people().get(pk=pk).is_active
    assert list(Entry.objects.filter(action="account.set").order_by("pk").values_list("after", flat=True)) == [
        {"active": False},
        {"active": True},
    ]


def test_a_teams_admin_makes_no_link_to_anybodys_account(admin: Client, fleet_admin: Client) -> None:
    """It would take the account over, and with it whatever other roles it has."""
    root = User.objects.get(username="root")
    assert admin.post(f"/settings/teams/people/{root.pk}/password/").status_code == 403
    assert "make teams" in denied()[0]
    assert "Send this link" in text(fleet_admin.post(f"/settings/teams/people/{root.pk}/password/"))


@pytest.mark.parametrize("slug", ["payments", "-", "nowhere"])
def test_a_teams_admin_changes_nobody_elsewhere(admin: Client, theirs: Team, slug: str) -> None:
    bob = User.objects.create_user("bob")
    base = f"/settings/teams/in/{slug}/people/"
    for path in (f"{base}add/", f"{base}new/", f"{base}{bob.pk}/role/", f"{base}{bob.pk}/remove/"):
        response = admin.post(path, {"username": "bob", "role": "admin"})
        assert response.status_code == (403 if slug == "-" else 404)
    assert not Membership.objects.filter(user=bob).exists()
    assert bool(denied()) == (slug != "nowhere")


def test_who_is_in_no_own_team_is_not_told_by_number(admin: Client, ours: Team, theirs: Team) -> None:
    members.set_role(eve := User.objects.create_user("eve"), theirs, "viewer")
    assert admin.get(f"{TEAM}people/{eve.pk}/role/").status_code == 404
    assert admin.post(f"{TEAM}people/{eve.pk}/remove/").status_code == 404
    assert members.role_in(eve, theirs) == "viewer"


def test_who_may_not_change_people_sees_no_way_to(browse: Browse, ours: Team, checkout: Application) -> None:
    page = text(browse("operator", ours).get(TEAM))
    assert "Checkout API" in page
    for word in ("Add somebody", "New account", "Change", "Remove", "Rename", "Move"):
        assert word not in page


def test_what_the_role_table_marks_asks_for_a_proof_and_keeps_what_was_typed(browse: Browse, ours: Team) -> None:
    ada = browse("admin", ours, "ada", proved=False)
    members.set_role(bob := User.objects.create_user("bob"), ours, "viewer")
    asked = ada.post(f"{TEAM}people/{bob.pk}/role/", {"role": "operator"})
    assert asked.url.startswith("/accounts/reauthenticate/")  # type: ignore[attr-defined]
    assert members.role_in(bob, ours) == "viewer"
    back = text(ada.get(f"{TEAM}people/{bob.pk}/role/"))
    assert 'value="operator" id="id_role_1" checked' in back
