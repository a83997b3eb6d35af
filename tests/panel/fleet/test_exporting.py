"""Export and import: there and back again changes nothing, and says nothing secret."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings

from failover import config
from panel.accounts.models import Team, default_team
from panel.audit.models import Entry
from panel.fleet.applications import ImportRefused, configuration, import_document, move
from panel.fleet.exporting import exported, text
from panel.fleet.models import Application
from panel.settings_pages.configuration import ConfigurationForm
from tests.panel.fleet.documents import SOUND

ROLE = "arn:aws:iam::123456789012:role/failover"


@given(SOUND)
@settings(max_examples=150, deadline=None)
def test_any_sound_document_is_the_same_after_it_was_written_and_read(document: dict[str, Any]) -> None:
    config.parse(document, "f")
    assert tomllib.loads(text(document)) == document


@given(SOUND)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_imported_exported_and_imported_again_is_unchanged(db: None, document: dict[str, Any]) -> None:
    Application.every.all().delete()
    application = import_document(document, "f").application
    first = exported(application)
    again = import_document(config.read_text(first, "g"), "g")
    assert (again.created, again.differences) == (False, ())
    assert exported(again.application) == first


@given(SOUND)
@settings(max_examples=60, deadline=None)
def test_the_form_sent_back_as_it_was_shown_changes_nothing(document: dict[str, Any]) -> None:
    """But for what a form can't tell apart: a key that is empty and one that is not there."""
    shown = ConfigurationForm(known=document)
    form = ConfigurationForm({name: shown[name].value() or "" for name in shown.fields}, known=document)
    assert form.is_valid(), form.errors
    again = form.document()
    assert config.parse(again, "f") == config.parse(_stripped(document), "f")


def _stripped(value: Any) -> Any:
    """Django takes white space off what is typed."""
    if isinstance(value, dict):
        return {key: _stripped(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_stripped(each) for each in value]
    return value.strip() if isinstance(value, str) else value


def test_the_command_prints_what_the_import_takes(
    application: Application, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    call_command("export_application", "checkout")
    file = tmp_path / "checkout.toml"
    file.write_text(capsys.readouterr().out)
    call_command("import_application", str(file))
    assert capsys.readouterr().out == "checkout: unchanged\n"
    with pytest.raises(CommandError, match="there are: checkout"):
        call_command("export_application", "basket")


def test_a_dry_run_says_what_would_change_and_changes_nothing(
    application: Application, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file, entries = tmp_path / "checkout.toml", Entry.objects.count()
    file.write_text(exported(application).replace("healthy_checks = 1", "healthy_checks = 3"))
    call_command("import_application", str(file), "--dry-run")
    assert capsys.readouterr().out == "checkout: changed\n  policy.healthy_checks: 1 → 3\n"
    application.refresh_from_db()
    assert configuration(application).policy.healthy_checks == 1
    assert Entry.objects.count() == entries
    file.write_text(file.read_text().replace("= 3", '= "three"'))
    with pytest.raises(CommandError, match=r"checkout.toml: policy.healthy_checks must be a whole number from 1 to 20"):
        call_command("import_application", str(file), "--dry-run")


# ---- external ids ----


def test_the_external_id_is_the_teams_and_not_in_the_export(db: None, document: dict[str, Any]) -> None:
    document["application"]["role_arn"] = ROLE
    application = import_document(document, "f").application
    assert configuration(application).external_id == default_team().external_id
    assert "external_id" not in exported(application)
    assert import_document(document, "f").differences == ()


def test_without_a_role_there_is_no_external_id(application: Application) -> None:
    assert configuration(application).external_id == ""


def test_another_teams_external_id_is_refused(db: None, document: dict[str, Any]) -> None:
    """Or a team's administrator could have the panel act with a role that trusts another team's."""
    theirs = Team.objects.create(slug="payments", name="Payments")
    document["application"] |= {"role_arn": ROLE, "external_id": theirs.external_id}
    with pytest.raises(ImportRefused, match=f"'{default_team().external_id}'. Leave the key out"):
        import_document(document, "f")
    assert not Application.every.exists()


def test_an_external_id_of_before_teams_had_theirs_stays_until_it_is_left_out(
    db: None, document: dict[str, Any]
) -> None:
    document["application"]["role_arn"] = ROLE
    application = import_document(document, "f").application
    application.document["application"]["external_id"] = "of-old"
    application.save()
    old = {**document, "application": {**document["application"], "external_id": "of-old"}}
    assert import_document(old, "f").differences == ()
    assert configuration(import_document(document, "f").application).external_id == default_team().external_id


def test_a_move_takes_the_new_teams_external_id(db: None, document: dict[str, Any]) -> None:
    document["application"]["role_arn"] = ROLE
    theirs = Team.objects.create(slug="payments", name="Payments")
    moved = move(import_document(document, "f").application, theirs, "move").application
    assert moved.team == theirs
    assert configuration(moved).external_id == theirs.external_id
    assert 'team = "payments"' in exported(moved)
