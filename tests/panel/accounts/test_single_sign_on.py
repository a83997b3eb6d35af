"""Single sign-on, each time all the way: to a real provider, and back with what it says."""

from __future__ import annotations

import html
import re
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.test import Client

from panel.accounts import again, members
from panel.accounts.models import Membership, Team
from panel.audit.models import Entry
from panel.operations.models import KillSwitch
from panel.sign_on import SignOn
from tests.panel.accounts import provider
from tests.panel.accounts.provider import Provider

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:authlib")  # the provider's own affairs

ON = "/kill-switch/on/"
LONG_AGO = 1_000_000_000


@pytest.fixture(scope="module")
def idp() -> Iterator[Provider]:
    with provider.running() as found:
        yield found


@pytest.fixture
def payments(db: None) -> Team:
    return Team.objects.create(slug="payments", name="Payments")


@pytest.fixture
def single(idp: Provider, payments: Team, settings: Any, monkeypatch: pytest.MonkeyPatch) -> SignOn:
    monkeypatch.setattr("panel.broker.answers", lambda: True)
    return provider.use(settings, idp.url)


def sign_in(idp: Provider, single: SignOn, client: Client, sub: str = "s-1", **query: str) -> HttpResponse:
    return provider.come_back(client, idp.answer(provider.begin(client, single, **query), sub=sub))


def signed_in(client: Client) -> bool:
    return client.get("/").status_code == 200


def roles(name: str = "bo") -> dict[str, tuple[str, bool]]:
    found = Membership.objects.filter(user__username=name).select_related("team")
    return {each.team.slug if each.team else "all": (each.role, each.from_group) for each in found}


def text(response: HttpResponse) -> str:
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", response.content.decode())))


# ---- in ----


def test_the_login_page_leads_there_and_a_password_is_still_taken(client: Client, single: SignOn) -> None:
    page = client.get("/accounts/login/?next=/operations/").content.decode()
    assert "Sign in with Example ID" in page
    link = re.search(r'href="([^"]*/oidc/[^"]*)"', page)
    assert link
    asked = client.get(link[1].replace("&amp;", "&"))["Location"]
    assert asked.startswith(f"{single.issuer}/oauth2/authorize?")
    assert "code_challenge=" in asked
    assert 'name="password"' in page


def test_the_first_sign_in_makes_an_account_with_the_roles_of_the_groups(
    client: Client, idp: Provider, single: SignOn
) -> None:
    idp.knows("s-1", preferred_username="bo", email="bo@example.com", groups=["sre", "payments", "choir"])
    response = sign_in(idp, single, client, next="/operations/")
    assert response["Location"] == "/operations/"
    assert signed_in(client)
    bo = User.objects.get()
    assert (bo.username, bo.email, bo.has_usable_password(), bo.is_superuser) == ("bo", "", False, False)
    assert roles() == {"all": ("operator", True), "payments": ("viewer", True)}
    assert [(each.action, each.actor) for each in Entry.objects.order_by("pk")] == [
        ("account.create", "single sign-on"),
        ("member.set", "single sign-on"),
        ("member.set", "single sign-on"),
        ("login", "bo"),
    ]


def test_of_two_groups_for_one_team_the_higher_role_counts(client: Client, idp: Provider, single: SignOn) -> None:
    idp.knows("s-1", preferred_username="bo", groups=["payments-admins", "payments"])
    sign_in(idp, single, client)
    assert roles() == {"payments": ("admin", True)}


def test_each_sign_in_sets_the_groups_roles_anew_and_leaves_those_given_by_hand(
    client: Client, idp: Provider, single: SignOn, payments: Team
) -> None:
    idp.knows("s-1", preferred_username="bo", groups=["sre", "payments-admins"])
    sign_in(idp, single, client)
    search = Team.objects.create(slug="search", name="Search")
    members.set_role(User.objects.get(), search, "viewer")
    members.set_role(User.objects.get(), payments, "operator")
    before = Entry.objects.latest("pk").pk

    idp.knows("s-1", preferred_username="bo", groups=["payments"])
    sign_in(idp, single, Client())

    assert set(Membership.objects.values_list("team__slug", "role", "from_group")) == {
        ("search", "viewer", False),
        ("payments", "operator", False),
        ("payments", "viewer", True),
    }
    told = Entry.objects.filter(pk__gt=before, action="member.set").order_by("pk")
    assert [(each.subject, each.before["role"], each.after["role"]) for each in told] == [
        ("bo in every team", "operator", "none"),
        ("bo in payments", "admin", "viewer"),
    ]
    sign_in(idp, single, Client())
    assert told.all().count() == 2, "what has not changed is not told"


def test_a_group_whose_team_does_not_exist_gives_nothing(
    client: Client, idp: Provider, payments: Team, settings: Any
) -> None:
    single = provider.use(settings, idp.url, "sre=nowhere:admin")
    idp.knows("s-1", preferred_username="bo", groups=["sre"])
    assert sign_in(idp, single, client).status_code == 403
    assert not User.objects.exists()


# ---- refused ----


@pytest.mark.parametrize("claims", [{}, {"groups": []}, {"groups": ["choir"]}, {"groups": {"sre": 1}}, {"groups": [1]}])
def test_somebody_in_no_group_is_told_what_is_missing_and_whom_to_ask(
    client: Client, idp: Provider, single: SignOn, claims: dict[str, Any]
) -> None:
    idp.knows("s-2", preferred_username="eve", **claims)
    response = sign_in(idp, single, client, "s-2")
    assert response.status_code == 403
    assert "none of the groups that may use this panel: payments, payments-admins, sre" in text(response)
    assert "Ask whoever looks after the groups at Example ID" in text(response)
    assert not signed_in(client)
    assert not User.objects.exists()
    entry = Entry.objects.get()
    assert (entry.action, entry.outcome, entry.subject) == ("denied", "denied", "Signing in as eve")
    assert "none of the groups" in entry.reason


def test_somebody_who_left_every_group_is_refused_and_has_nothing_left(
    client: Client, idp: Provider, single: SignOn
) -> None:
    idp.knows("s-1", preferred_username="bo", groups=["sre"])
    sign_in(idp, single, client)
    idp.knows("s-1", preferred_username="bo", groups=[])
    other = Client()
    assert sign_in(idp, single, other).status_code == 403
    assert not signed_in(other)
    assert roles() == {}
    assert client.get("/applications/checkout/").status_code == 404, "the session that is still open sees nothing"


@pytest.mark.parametrize("name", ["ada", "ADA"])
def test_a_name_that_is_taken_opens_nobodys_account(
    client: Client, idp: Provider, single: SignOn, operator: User, name: str
) -> None:
    idp.knows("s-3", preferred_username=name, email="ada@example.com", groups=["sre"])
    response = sign_in(idp, single, client, "s-3")
    assert response.status_code == 403
    assert "a name alone does not make it yours" in text(response)
    assert not signed_in(client)
    assert list(User.objects.all()) == [operator]
    assert not SocialAccount.objects.exists()


def test_an_address_that_is_known_opens_nobodys_account(
    client: Client, idp: Provider, single: SignOn, operator: User
) -> None:
    User.objects.update(email="ada@example.com")
    idp.knows("s-3", preferred_username="mallory", email="ada@example.com", email_verified=True, groups=["sre"])
    sign_in(idp, single, client, "s-3")
    assert client.session["_auth_user_id"] == str(User.objects.get(username="mallory").pk)


def test_nobody_gets_a_name_that_the_panel_itself_acts_under(client: Client, idp: Provider, single: SignOn) -> None:
    idp.knows("s-3", preferred_username="Panel", groups=["sre"])
    assert sign_in(idp, single, client, "s-3").status_code == 403
    assert not User.objects.exists()


def test_a_new_name_at_the_provider_changes_nothing_here(client: Client, idp: Provider, single: SignOn) -> None:
    idp.knows("s-1", preferred_username="bo", groups=["sre"])
    sign_in(idp, single, client)
    idp.knows("s-1", preferred_username="root", groups=["sre"])
    sign_in(idp, single, Client())
    assert User.objects.get().username == "bo"


def test_another_issuers_people_are_others(client: Client, idp: Provider, single: SignOn, settings: Any) -> None:
    """What was `localhost` becomes `127.0.0.1`: another issuer, and the same identifier there is somebody else."""
    idp.knows("s-1", preferred_username="bo", groups=["sre"])
    sign_in(idp, single, client)
    elsewhere = provider.use(settings, idp.url.replace("localhost", "127.0.0.1"))
    assert elsewhere.provider_id != single.provider_id
    assert sign_in(idp, elsewhere, Client()).status_code == 403, "its bo is not our bo"


def test_an_id_token_of_another_issuer_than_the_settings_name_is_not_taken(
    client: Client, idp: Provider, single: SignOn, settings: Any
) -> None:
    """The provider's document and its tokens agree with each other, on an issuer that is not ours."""
    app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]["settings"]
    app["server_url"] = app["server_url"].replace("localhost", "127.0.0.1")
    idp.knows("s-1", preferred_username="bo", groups=["sre"])
    response = sign_in(idp, single, client)
    assert response.status_code == 502
    assert "can't be trusted" in text(response)
    assert not User.objects.exists()


def test_an_account_that_is_switched_off_stays_off(client: Client, idp: Provider, single: SignOn) -> None:
    idp.knows("s-1", preferred_username="bo", groups=["sre"])
    sign_in(idp, single, client)
    User.objects.update(is_active=False)
    other = Client()
    sign_in(idp, single, other)
    assert not signed_in(other)
    assert not signed_in(client)


def test_nobody_joins_accounts_by_themselves(client: Client, idp: Provider, single: SignOn, operator: User) -> None:
    client.force_login(operator)
    idp.knows("s-9", preferred_username="mallory", groups=["sre"])
    response = sign_in(idp, single, client, "s-9", process="connect")
    assert response.status_code == 403
    assert not SocialAccount.objects.exists()


# ---- what goes wrong on the way ----


def test_when_the_provider_says_no_a_page_says_so(client: Client, idp: Provider, single: SignOn) -> None:
    asked = provider.begin(client, single)
    state = parse_qs(urlsplit(asked).query)["state"][0]  # this provider forgets to send it back
    response = provider.come_back(client, f"{idp.answer(asked, action='deny')}&state={state}")
    assert response.status_code == 403
    assert "Example ID says that access was denied" in text(response)
    assert Entry.objects.get().outcome == "denied"


@pytest.mark.parametrize("query", ["code=stolen&state=forged", "code=stolen", "error=access_denied", ""])
def test_an_answer_that_this_browser_did_not_ask_for_is_refused(client: Client, single: SignOn, query: str) -> None:
    response = client.get(f"/accounts/oidc/{single.provider_id}/login/callback/?{query}")
    assert response.status_code == 400
    assert "belongs to no sign-in that this browser began" in text(response)
    assert not signed_in(client)


def test_somebody_elses_answer_signs_nobody_in(client: Client, idp: Provider, single: SignOn) -> None:
    """An attacker's own answer, sent to a victim: the victim would act in the attacker's account."""
    idp.knows("s-1", preferred_username="mallory", groups=["sre"])
    answer = idp.answer(provider.begin(Client(), single), sub="s-1")
    assert provider.come_back(client, answer).status_code == 400
    assert not signed_in(client)


def test_an_answer_counts_once(client: Client, idp: Provider, single: SignOn) -> None:
    idp.knows("s-1", preferred_username="bo", groups=["sre"])
    answer = idp.answer(provider.begin(client, single), sub="s-1")
    provider.come_back(client, answer)
    client.post("/accounts/logout/")
    assert provider.come_back(client, answer).status_code == 400


def test_a_provider_that_is_down_is_a_sentence(client: Client, payments: Team, settings: Any) -> None:
    with socket.socket() as taken:  # bound, and not listening: every connection is refused
        taken.bind(("127.0.0.1", 0))
        single = provider.use(settings, f"http://127.0.0.1:{taken.getsockname()[1]}")
        response = client.get(f"/accounts/oidc/{single.provider_id}/login/")
        assert response.status_code == 502
        assert "Example ID can't be reached" in text(response)
        assert client.get("/accounts/login/").status_code == 200, "the password must still be possible"


def test_a_provider_that_goes_down_on_the_way_is_a_sentence(
    client: Client, idp: Provider, single: SignOn, settings: Any
) -> None:
    answer = idp.answer(provider.begin(client, single), sub="s-1")
    app = settings.SOCIALACCOUNT_PROVIDERS["openid_connect"]["APPS"][0]
    app["settings"]["server_url"] = "http://127.0.0.1:1/.well-known/openid-configuration"
    assert provider.come_back(client, answer).status_code == 502


@pytest.mark.parametrize("where", ["", "callback/"])
def test_without_single_sign_on_its_addresses_do_not_exist(client: Client, db: None, where: str) -> None:
    assert client.get(f"/accounts/oidc/id.example.com/login/{where}").status_code == 404
    assert "Sign in with" not in client.get("/accounts/login/").content.decode()


def test_a_sign_in_never_leads_to_another_host(client: Client, idp: Provider, single: SignOn) -> None:
    idp.knows("s-1", preferred_username="bo", groups=["sre"])
    assert sign_in(idp, single, client, next="https://evil.example/")["Location"] == "/"


# ---- proving once more ----


@pytest.fixture
def bo(client: Client, idp: Provider, single: SignOn) -> Client:
    idp.knows("s-1", preferred_username="bo", groups=["sre"], auth_time=LONG_AGO)
    sign_in(idp, single, client)
    return client


def to_the_provider(client: Client) -> str:
    """From a form that asks for a proof to the provider's page."""
    asked = client.post(ON, {"reason": "AWS is acting up"})
    proof = client.get(asked["Location"])
    page = client.get(proof["Location"]).content.decode()
    link = re.search(r'href="([^"]*/oidc/[^"]*)"', page)
    assert link, page
    return client.get(link[1].replace("&amp;", "&"))["Location"]


def test_who_has_no_password_proves_it_at_the_provider_and_finds_what_was_typed(bo: Client, idp: Provider) -> None:
    asked = to_the_provider(bo)
    assert "prompt=login" in asked
    assert "max_age=0" in asked
    idp.knows("s-1", preferred_username="bo", groups=["sre"], auth_time=int(time.time()))
    back = provider.come_back(bo, idp.answer(asked, sub="s-1"))
    assert back["Location"] == ON
    assert "AWS is acting up" in bo.get(ON).content.decode()
    assert not KillSwitch.objects.exists()
    bo.post(ON, {"reason": "AWS is acting up"})
    assert KillSwitch.objects.exists()
    assert Entry.objects.filter(action="login.proof", actor="bo").count() == 1


def test_a_single_sign_on_by_itself_proves_nothing(bo: Client) -> None:
    assert bo.post(ON, {"reason": "x"}).status_code == 302
    assert not KillSwitch.objects.exists()


@pytest.mark.parametrize(
    ("auth_time", "says"),
    [
        (time.time() - again.FRESH.total_seconds() - 120, "did not ask you to sign in again"),
        ("yesterday", "does not say when you signed in there"),
    ],
    ids=["old", "no time"],
)
def test_an_old_sign_in_at_the_provider_is_no_proof(bo: Client, idp: Provider, auth_time: Any, says: str) -> None:
    idp.knows("s-1", preferred_username="bo", groups=["sre"], auth_time=auth_time)
    response = provider.come_back(bo, idp.answer(to_the_provider(bo), sub="s-1"))
    assert response.status_code == 403
    assert says in text(response)
    assert bo.post(ON, {"reason": "x"}).status_code == 302
    assert not KillSwitch.objects.exists()


def test_somebody_elses_sign_in_is_no_proof(bo: Client, idp: Provider, single: SignOn) -> None:
    idp.knows("s-7", preferred_username="cy", groups=["sre"], auth_time=int(time.time()))
    sign_in(idp, single, Client(), "s-7")
    response = provider.come_back(bo, idp.answer(to_the_provider(bo), sub="s-7"))
    assert response.status_code == 403
    assert "you signed in as somebody else" in text(response)
    assert bo.session["_auth_user_id"] == str(User.objects.get(username="bo").pk)
    bo.post(ON, {"reason": "x"})
    assert not KillSwitch.objects.exists()


def test_a_proof_reads_the_groups_too(bo: Client, idp: Provider) -> None:
    asked = to_the_provider(bo)
    idp.knows("s-1", preferred_username="bo", groups=[], auth_time=int(time.time()))
    assert provider.come_back(bo, idp.answer(asked, sub="s-1")).status_code == 403
    assert roles() == {}


def test_a_stolen_session_adds_no_factor_to_prove_things_with(bo: Client) -> None:
    for path in ("totp/activate/", "recovery-codes/generate/", "webauthn/add/"):
        assert bo.get(f"/accounts/2fa/{path}")["Location"].startswith("/accounts/reauthenticate/")
    assert bo.post("/accounts/2fa/totp/activate/", {"code": "123456"}).status_code == 302
    page = bo.get("/accounts/password/set/")
    assert page["Location"] == "/accounts/", "nor a password"


# ---- passwords beside it ----


def test_without_password_login_only_superusers_get_in_with_one(
    client: Client, single: SignOn, operator: User, settings: Any
) -> None:
    settings.PANEL_PASSWORD_LOGIN = False
    given = {"login": "ada", "password": "correct-horse-battery"}
    assert "the panel's superusers alone" in text(client.get("/accounts/login/"))
    assert client.post("/accounts/login/", given).status_code == 200
    assert not signed_in(client)
    User.objects.update(is_superuser=True)
    client.post("/accounts/login/", given)
    assert signed_in(client)
