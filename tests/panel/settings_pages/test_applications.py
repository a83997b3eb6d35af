"""Applications from pasted or uploaded TOML and from the form: every problem, then the difference, then it is done."""

from __future__ import annotations

import re
import tomllib
from html import unescape
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from panel.accounts import members
from panel.accounts.models import Team
from panel.audit.models import Entry
from panel.fleet import exporting
from panel.fleet.applications import configuration, import_document
from panel.fleet.models import Application
from panel.settings_pages import importing, proposals
from tests.panel.conftest import ACCOUNT, ELB
from tests.panel.settings_pages.conftest import Browse, denied, text
from tests.panel.web import examples

IMPORT = "/settings/applications/import/"
FORM = "/settings/applications/form/"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/failover"
CHECKOUT = "/settings/applications/of/checkout/"


@pytest.fixture
def toml(document: dict[str, Any]) -> str:
    return exporting.text(document)


@pytest.fixture
def new(document: dict[str, Any]) -> str:
    """As an administrator of a team may import it: with a role."""
    document["application"]["role_arn"] = ROLE
    return exporting.text(document)


def seen(response: Any) -> str:
    found = re.search(r'name="seen" value="(\w+)"', text(response))
    assert found, text(response)
    return found[1]


def imported(client: Client, toml: str) -> Any:
    """Look at the difference, then confirm it."""
    return client.post(IMPORT, {"toml": toml, "seen": seen(client.post(IMPORT, {"toml": toml}))})


def test_a_new_application_is_shown_before_it_is_made(admin: Client, ours: Team, new: str) -> None:
    shown = admin.post(IMPORT, {"toml": new})
    assert "New: Checkout API" in text(shown)
    assert not Application.every.exists()
    done = imported(admin, new)
    assert done.url == CHECKOUT
    assert Application.objects.get().team == ours
    assert Entry.objects.get(action="application.import").actor == "ada"
    assert "https://failover" not in text(admin.get(CHECKOUT))


def test_every_problem_is_told_and_the_text_stays(admin: Client, ours: Team, toml: str) -> None:
    broken = toml.replace('"sa-east-1"', '"<moon>"', 1).replace("healthy_checks = 1", "healthy_checks = 99")
    page = admin.post(IMPORT, {"toml": broken + "surprise = 1\n"})
    assert page.status_code == 422
    told = unescape(text(page))
    assert "the text: application.region must be an AWS region such as sa-east-1, not '<moon>'." in told
    assert "the text: policy.healthy_checks must be a whole number from 1 to 20, not 99." in told
    assert "policy.surprise is unknown. Known are:" in told
    assert "<moon>" not in page.content.decode(), "escaped"
    assert "surprise = 1" in told.split("<textarea")[1]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "Paste an application's TOML"),
        ({"toml": "a = ["}, "the text is not valid TOML"),
        ({"toml": "a = " + "[" * 30_000}, "nested too deep"),
        ({"toml": ".".join("a" * 49_000) + "=1"}, "line 1 has more than 200 dots"),
        ({"toml": "x" * 100_001}, "this has 100001"),
        ({"file": SimpleUploadedFile("latin.toml", b"\xe9")}, "latin.toml is not UTF-8"),
        ({"file": SimpleUploadedFile("big.toml", b"x" * 100_001)}, "more than 100000 bytes"),
        ({"file": SimpleUploadedFile("none.toml", b"")}, "The file is empty"),
    ],
    ids=lambda each: "" if isinstance(each, str) else " ".join(each),
)
def test_what_is_no_toml_is_told(admin: Client, ours: Team, given: dict[str, Any], says: str) -> None:
    page = admin.post(IMPORT, given)
    assert page.status_code == 422
    assert says in unescape(text(page))


def test_an_uploaded_file_is_named_in_its_problems(admin: Client, ours: Team, toml: str) -> None:
    file = SimpleUploadedFile("checkout.toml", toml.replace("healthy_checks = 1", "healthy_checks = 99").encode())
    assert "checkout.toml: policy.healthy_checks must be" in text(admin.post(IMPORT, {"file": file}))


def test_a_change_is_shown_line_by_line_and_confirmed(admin: Client, checkout: Application, toml: str) -> None:
    changed = toml.replace("healthy_checks = 1", "healthy_checks = 3").replace("bake_seconds = 0\n", "")
    shown = text(admin.post(IMPORT, {"toml": changed}))
    cells = re.findall(r'<td class="mono">([\w.]+)</td><td [^>]+>([^<]*)</td><td [^>]+>([^<]*)</td>', shown)
    assert cells == [("policy.healthy_checks", "1", "3"), ("policy.bake_seconds", "0", "default")]
    imported(admin, changed)
    assert configuration(Application.objects.get()).policy.healthy_checks == 3


def test_what_somebody_else_changed_meanwhile_is_shown_before_it_is_confirmed(
    admin: Client, checkout: Application, toml: str
) -> None:
    mine = toml.replace("healthy_checks = 1", "healthy_checks = 3")
    confirmed = {"toml": mine, "seen": seen(admin.post(IMPORT, {"toml": mine}))}
    imported(admin, toml.replace("step_seconds = 0", "step_seconds = 9"))
    again = admin.post(IMPORT, confirmed)
    assert "Somebody changed it meanwhile" in text(again)
    assert "policy.step_seconds" in text(again)
    assert configuration(Application.objects.get()).policy.healthy_checks == 1


def test_who_is_faster_with_a_name_keeps_the_application(
    browse: Browse, ours: Team, theirs: Team, new: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the judgement and the import another team makes one of the same name: it is not overwritten."""
    ada = browse("admin", theirs, "ada")
    mine = new.replace("region =", 'team = "payments"\nregion =', 1)
    confirmed = {"toml": mine, "seen": seen(ada.post(IMPORT, {"toml": mine}))}

    def slowly(*judged: Any) -> Any:
        proposal = proposals.judge(*judged)
        import_document(tomllib.loads(new), "theirs")
        return proposal

    monkeypatch.setattr(importing, "judge", slowly)
    page = ada.post(IMPORT, confirmed)
    assert page.status_code == 422
    assert "somebody changed checkout this very moment" in text(page)
    assert Application.objects.get().team == ours


def test_the_same_again_would_change_nothing(admin: Client, checkout: Application, toml: str) -> None:
    assert "nothing would change" in text(admin.post(IMPORT, {"toml": toml}))


def test_the_text_can_be_changed_after_the_difference_was_seen(admin: Client, ours: Team, toml: str) -> None:
    page = admin.post(IMPORT, {"toml": toml, "step": "edit", "seen": "x"})
    assert "healthy_checks = 1" in text(page)
    assert not Application.every.exists()


# ---- whose ----


def test_an_administrator_imports_for_the_own_team_alone(browse: Browse, ours: Team, theirs: Team, new: str) -> None:
    ada = browse("admin", theirs, "ada")
    page = unescape(text(ada.post(IMPORT, {"toml": new})))
    assert "application.team must be a team whose administrator you are: payments." in page
    assert "default" not in page.split("<textarea")[0]
    assert denied() == ["Applications of the team default are for its administrators to import."]
    imported(ada, new.replace("region =", 'team = "payments"\nregion =', 1))
    assert Application.objects.get().team == theirs


def test_another_teams_application_is_not_overwritten(
    browse: Browse, checkout: Application, theirs: Team, toml: str
) -> None:
    eve = browse("admin", theirs, "eve")
    mine = toml.replace("region =", 'team = "payments"\nregion =', 1)
    assert eve.post(IMPORT, {"toml": mine}).status_code == 403
    assert len(denied()) == 1


def test_who_gives_an_application_away_must_be_a_fleet_admin(
    admin: Client, fleet_admin: Client, checkout: Application, theirs: Team, toml: str
) -> None:
    members.set_role(members.person("ada"), theirs, "admin")
    given = toml.replace("region =", 'team = "payments"\nregion =', 1)
    assert admin.post(IMPORT, {"toml": given}).status_code == 403
    shown = fleet_admin.post(IMPORT, {"toml": given})
    assert "It gets another owner" in text(shown)
    imported(fleet_admin, given)
    assert Application.objects.get().team == theirs


def test_giving_away_asks_for_a_proof_and_then_shows_the_difference_again(
    browse: Browse, checkout: Application, theirs: Team, toml: str
) -> None:
    root = browse("admin", None, "root", proved=False)
    given = toml.replace("region =", 'team = "payments"\nregion =', 1)
    assert imported(root, given).url.startswith("/accounts/reauthenticate/")
    assert Application.objects.get().team.slug == "default"
    assert "It gets another owner" in text(root.get(IMPORT))


def test_an_application_is_moved_by_its_page(fleet_admin: Client, checkout: Application, theirs: Team) -> None:
    fleet_admin.post(f"{CHECKOUT}move/", {"team": "payments"})
    assert Application.objects.get().team == theirs
    assert 'team = "payments"' in unescape(text(fleet_admin.get(CHECKOUT)))


# ---- the form ----


def fields(page: Any) -> dict[str, str]:
    """What a browser would send back of the form as it stands."""
    found: dict[str, str] = page.context["form"].initial
    return {name: value for name, value in found.items() if value}


def test_the_form_makes_an_application(admin: Client, ours: Team) -> None:
    given = {
        "application.slug": "checkout", "application.name": "Checkout API", "application.region": "sa-east-1",
        "application.alarms": "busy\nthrottled\n", "application.team": "default", "application.role_arn": ROLE,
        "lambda.function_name": "checkout", "lambda.target_group_arn": f"{ELB}:targetgroup/l/1",
        "ecs.cluster": "apis", "ecs.service": "checkout", "ecs.target_group_arn": f"{ELB}:targetgroup/e/2",
        "routes": f"{ELB}:listener/app/a/3/4\n{ELB}:listener-rule/app/a/3/4/5",
        "policy.shift_steps": "10, 50, 100", "policy.demand_headroom": "0.7", "policy.failover_count": "4",
    }  # fmt: skip
    shown = admin.post(FORM, given)
    assert "New: Checkout API" in text(shown), text(shown)
    imported(admin, shown.context["toml"])
    made = configuration(Application.objects.get())
    assert (made.alarms, made.policy.shift_steps, made.policy.demand_headroom) == (
        ("busy", "throttled"),
        (10, 50, 100),
        0.7,
    )
    assert [route.is_rule for route in made.routes] == [False, True]
    back = admin.post(FORM, {"toml": shown.context["toml"], "step": "edit"})
    assert fields(back)["policy.shift_steps"] == "10, 50, 100"


def test_each_error_stands_at_its_field_and_what_was_typed_stays(admin: Client, checkout: Application) -> None:
    given = fields(admin.get(f"{CHECKOUT}edit/"))
    given |= {
        "application.region": "moon",
        "routes": "nonsense",
        "policy.failback_steps": "0, 50",
        "application.mode": "",
    }
    page = admin.post(f"{CHECKOUT}edit/", given)
    assert page.status_code == 422
    errors = page.context["form"].errors
    assert errors["application.region"] == ["It must be an AWS region such as sa-east-1, not 'moon'."]
    assert "a listener's ARN" in errors["routes"][0]
    assert "falling percentages" in errors["policy.failback_steps"][0]
    assert 'value="moon"' in text(page)
    assert configuration(Application.objects.get()).region == "sa-east-1"


def test_an_edit_changes_one_key_and_leaves_the_rest(admin: Client, checkout: Application) -> None:
    given = fields(admin.get(f"{CHECKOUT}edit/")) | {"policy.failover_count": "7"}
    shown = admin.post(f"{CHECKOUT}edit/", given)
    (difference,) = shown.context["proposal"].result.differences
    assert str(difference) == "policy.failover_count: default → 7"


@pytest.mark.parametrize("toml", ["routes = [1]", "[application]\nalarms = [1]", "application = 1", "a = [", "\0"])
def test_back_to_the_form_with_what_no_form_sent_is_the_form(admin: Client, checkout: Application, toml: str) -> None:
    page = admin.post(f"{CHECKOUT}edit/", {"step": "edit", "toml": toml})
    assert page.status_code == 200
    assert "sa-east-1" in text(page)


@pytest.mark.parametrize("page", ["/settings/applications/new/", f"{CHECKOUT}edit/"])
def test_no_page_works_for_minutes_on_what_somebody_typed(admin: Client, checkout: Application, page: str) -> None:
    """tomllib takes hours for this one."""
    typed = ".".join("a" * 1_000_000) + "=1"
    assert admin.post(page, {"step": "edit", "toml": typed}).status_code in {200, 422}


def test_an_edit_keeps_the_drills_that_the_form_has_no_field_for(
    admin: Client, checkout: Application, toml: str
) -> None:
    assert imported(admin, f'{toml}\n[drills]\nschedule = "30 3 * * 2"\nblocked = ["Mon-Fri 08:00-18:00"]\n').url
    given = fields(admin.get(f"{CHECKOUT}edit/")) | {"policy.failover_count": "7"}
    shown = admin.post(f"{CHECKOUT}edit/", given)
    assert admin.post(IMPORT, {"toml": shown.context["toml"], "seen": seen(shown)}).status_code == 302
    kept = configuration(Application.objects.get())
    assert (kept.policy.failover_count, kept.drills.schedule) == (7, "30 3 * * 2")
    assert [window.text for window in kept.drills.blocked] == ["Mon-Fri 08:00-18:00"]


def test_an_application_whose_resource_another_owns_is_told(admin: Client, checkout: Application) -> None:
    given = {**fields(admin.get(f"{CHECKOUT}edit/")), "application.slug": "basket", "application.role_arn": ROLE}
    page = admin.post(FORM, given)
    assert page.status_code == 422
    assert "belongs to the application checkout" in text(page)


def test_whose_it_is_that_another_team_owns_is_not_told(
    browse: Browse, fleet_admin: Client, checkout: Application, theirs: Team, new: str
) -> None:
    mine = new.replace('slug = "checkout"', 'slug = "basket"').replace("region =", 'team = "payments"\nregion =', 1)
    told = text(browse("admin", theirs, "eve").post(IMPORT, {"toml": mine}))
    assert "belongs to another team's application" in unescape(told)
    assert "checkout; two applications" not in unescape(told)
    assert "belongs to the application checkout" in text(fleet_admin.post(IMPORT, {"toml": mine}))


# ---- with whose credentials ----


def test_without_a_role_only_an_administrator_of_the_panel_imports(
    admin: Client, fleet_admin: Client, ours: Team, toml: str
) -> None:
    page = admin.post(IMPORT, {"toml": toml})
    assert page.status_code == 422
    assert "application.role_arn must name a role in 123456789012" in unescape(text(page))
    assert len(denied()) == 1
    imported(fleet_admin, toml)
    assert Application.objects.get().slug == "checkout"


def test_what_has_no_role_is_changed_by_its_team_but_points_at_nothing_else(
    admin: Client, checkout: Application, toml: str
) -> None:
    imported(admin, toml.replace("healthy_checks = 1", "healthy_checks = 3"))
    assert configuration(Application.objects.get()).policy.healthy_checks == 3
    page = admin.post(IMPORT, {"toml": toml.replace('alarms = ["busy"]', 'alarms = ["theirs"]')})
    assert (page.status_code, len(denied())) == (422, 1)


def test_a_role_of_another_account_is_refused(admin: Client, ours: Team, new: str) -> None:
    """Else its team would be shown the events of alarms that it may not read."""
    page = admin.post(IMPORT, {"toml": new.replace(ROLE, ROLE.replace(ACCOUNT, "999999999999"))})
    assert page.status_code == 422
    assert "the role must be one of the application's own account" in unescape(text(page))


# ---- export, retire ----


def test_the_download_is_the_export(admin: Client, checkout: Application) -> None:
    response = admin.get(f"{CHECKOUT}toml/")
    assert response["Content-Disposition"] == 'attachment; filename="checkout.toml"'
    assert response.content.decode() == exporting.exported(checkout)


def test_it_is_retired_with_a_reason_and_brought_back(admin: Client, checkout: Application) -> None:
    assert admin.post(f"{CHECKOUT}retire/", {"reason": ""}).status_code == 422
    admin.post(f"{CHECKOUT}retire/", {"reason": "moved away"})
    assert not Application.objects.exists()
    assert Entry.objects.get(action="application.retire").reason == "moved away"
    assert "Retired" in text(admin.get("/settings/applications/"))
    admin.post(f"{CHECKOUT}restore/")
    assert Application.objects.exists()


def test_while_an_operation_runs_it_stays(admin: Client, checkout: Application) -> None:
    examples.operation(checkout)
    page = admin.post(f"{CHECKOUT}retire/", {"reason": "moved away"})
    assert "cancel it, or wait until it has ended" in text(page)
    assert "moved away" in text(page)
