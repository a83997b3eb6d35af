"""The role table applied: who may do what, and whose things anybody sees."""

from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.core.management import CommandError, call_command

from panel.accounts import members, roles
from panel.accounts.models import Membership, Team, default_team
from panel.fleet.applications import ImportRefused, import_document
from panel.fleet.models import Application
from tests.panel.web import examples

ROLES = ("viewer", "operator", "admin")


@pytest.fixture
def payments(db: None) -> Team:
    return Team.objects.create(slug="payments", name="Payments")


def member(team: Team | None, role: str, name: str = "") -> User:
    user = User.objects.create_user(name or f"{role}-of-{team}")
    members.set_role(user, team, role)
    return user


@pytest.mark.parametrize("action", roles.actions())
@pytest.mark.parametrize("everywhere", [False, True])
def test_each_action_begins_with_its_role(payments: Team, action: str, everywhere: bool) -> None:
    line = roles.actions()[action]
    team = None if everywhere else payments
    allowed = [role for role in ROLES if roles.may(member(team, role), action, payments)]
    assert allowed == [role for role in ROLES if roles.Role.named(role) >= line.role and (everywhere or not line.panel)]


@pytest.mark.parametrize("action", roles.actions())
def test_another_teams_admin_a_stranger_and_nobody_may_nothing(payments: Team, action: str) -> None:
    other = member(default_team(), "admin")
    for person in (other, User.objects.create_user("stranger"), AnonymousUser()):
        assert not roles.may(person, action, payments)
        assert not roles.allowed(person, payments)


@pytest.mark.parametrize("action", roles.actions())
def test_a_superuser_may_everything_unless_switched_off(payments: Team, action: str) -> None:
    root = User.objects.create_superuser("root")
    assert roles.may(root, action, payments)
    assert action in roles.allowed(root)
    root.is_active = False
    assert not roles.may(root, action, payments)


def test_everybody_sees_the_applications_of_their_own_teams(payments: Team) -> None:
    theirs, ours = examples.application("pay"), examples.application("checkout")
    Application.objects.filter(pk=theirs.pk).update(team=payments)
    everything = Application.objects.all()
    assert list(roles.owned(everything, member(payments, "viewer"))) == [theirs]
    assert list(roles.owned(everything, member(default_team(), "viewer"))) == [ours]
    assert not roles.owned(everything, User.objects.create_user("stranger")).exists()
    assert set(roles.owned(everything, User.objects.create_superuser("root"))) == {theirs, ours}


@pytest.mark.parametrize("role", ROLES)
def test_a_role_in_every_team_holds_in_each(payments: Team, role: str) -> None:
    ana = member(None, role)
    expected = roles.Role.named(role)
    assert roles.role_of(ana, payments) == roles.role_of(ana, default_team()) == roles.role_of(ana, None) == expected
    assert set(roles.teams(ana)) == {payments, default_team()}
    assert roles.owned(Application.objects.all(), ana).count() == Application.objects.count()


def test_teams_where_an_action_is_allowed(payments: Team) -> None:
    ana = member(payments, "operator", "ana")
    members.set_role(ana, default_team(), "viewer")
    assert set(roles.teams(ana)) == {payments, default_team()}
    assert set(roles.teams(ana, "operation.start")) == {payments}


@pytest.mark.parametrize(("by_hand", "by_group"), [("admin", "viewer"), ("viewer", "admin")])
def test_of_a_role_by_hand_and_one_by_a_group_the_higher_counts(payments: Team, by_hand: str, by_group: str) -> None:
    ana = member(payments, by_hand, "ana")
    members.follow_groups(ana, {payments: by_group}, "single sign-on")
    assert roles.may(ana, "application.import", payments)
    assert roles.Grants.of(ana).allowed(payments.pk) == roles.allowed(ana, payments)


def test_a_person_has_one_role_in_a_team_and_a_new_one_takes_its_place(payments: Team) -> None:
    ana = member(payments, "viewer", "ana")
    assert members.set_role(ana, payments, "admin") == "ana in payments: viewer → admin"
    assert [each.role for each in Membership.objects.all()] == ["admin"]
    assert members.set_role(ana, payments, "none") == "ana in payments: admin → none"
    assert not Membership.objects.exists()


def test_the_commands_make_a_team_and_a_member(db: None, capsys: pytest.CaptureFixture[str]) -> None:
    User.objects.create_user("ana")
    call_command("create_team", "search", name="Search")
    assert capsys.readouterr().out.strip() == Team.objects.get(slug="search").external_id
    call_command("set_role", "ana", "search", "operator")
    assert "ana in search: none → operator" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("command", "says"),
    [
        (("create_team", "Not A Slug"), "Enter a valid"),
        (("create_team", "default"), "already exists"),
        (("set_role", "nobody", "default", "viewer"), "There is no account 'nobody'"),
        (("set_role", "ana", "nowhere", "viewer"), "There is no team 'nowhere'"),
    ],
)
def test_what_the_commands_can_not_do_they_say(db: None, command: tuple[str, ...], says: str) -> None:
    default_team()
    User.objects.create_user("ana")
    with pytest.raises(CommandError, match=says):
        call_command(*command)


def test_an_application_is_owned_by_the_team_that_its_file_names(payments: Team, document: dict) -> None:
    document["application"]["team"] = "payments"
    assert import_document(document, "f").application.team == payments
    document["application"]["team"] = ""
    assert import_document(document, "f").application.team == default_team()
    document["application"]["team"] = "nowhere"
    with pytest.raises(ImportRefused, match=r"there is no team 'nowhere'.*create_team nowhere"):
        import_document(document, "f")


def test_the_documentation_shows_the_table_as_it_is() -> None:
    """`manage.py roles` prints it."""
    document = (Path(__file__).parents[3] / "docs" / "roles.md").read_text(encoding="utf-8")
    assert roles.markdown() in document
