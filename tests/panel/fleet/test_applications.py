"""Importing applications, and the sentences that an operator gets when one can't be taken."""

import copy
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from panel.fleet.applications import ImportRefused, configuration, import_document
from panel.fleet.models import AlarmName, Application, OwnedResource
from panel.operations import services


def test_an_import_owns_what_the_document_names(application: Application) -> None:
    assert (application.account, application.region, application.mode) == ("123456789012", "sa-east-1", "auto")
    assert set(OwnedResource.objects.values_list("kind", flat=True)) == {"route", "target group", "service"}
    assert OwnedResource.objects.get(kind="service").name == "123456789012:sa-east-1:apis/checkout"
    assert list(AlarmName.objects.values_list("name", flat=True)) == ["busy"]
    assert configuration(application).policy.min_healthy == 2


def test_the_same_document_again_changes_nothing(application: Application, document: dict[str, Any]) -> None:
    result = import_document(document, "checkout.toml")
    assert (result.created, result.changes) == (False, ())
    assert result.application.updated_at == application.updated_at


def test_a_changed_document_is_told_key_by_key(application: Application, document: dict[str, Any]) -> None:
    document["application"]["alarms"] = ["busy", "throttled"]
    document["policy"]["failover_count"] = 4
    del document["policy"]["bake_seconds"]
    result = import_document(document, "checkout.toml")
    assert set(result.changes) == {
        'application.alarms: ["busy"] → ["busy", "throttled"]',
        "policy.failover_count: default → 4",
        "policy.bake_seconds: 0 → default",
    }
    assert AlarmName.objects.count() == 2
    application.refresh_from_db()
    assert configuration(application).policy.failover_count == 4


def test_an_operators_mode_outlives_an_import_that_does_not_change_the_documents(
    application: Application, document: dict[str, Any]
) -> None:
    services.set_mode(application, "off", by="ana", reason="a migration")
    document["policy"]["failover_count"] = 4
    assert import_document(document, "checkout.toml").application.mode == "off"
    document["application"]["mode"] = "observe"
    assert import_document(document, "checkout.toml").application.mode == "observe"


def test_a_resource_of_another_application_is_refused_naming_its_owner(
    application: Application, document: dict[str, Any]
) -> None:
    document["application"]["slug"] = "basket"
    with pytest.raises(ImportRefused, match=r"basket.toml: the route arn:.* belongs to the application checkout"):
        import_document(document, "basket.toml")
    assert not Application.objects.filter(slug="basket").exists()


def test_an_application_may_move_to_other_resources(application: Application, document: dict[str, Any]) -> None:
    before = copy.deepcopy(document)
    document["ecs"]["service"] = "checkout-2"
    import_document(document, "checkout.toml")
    before["application"]["slug"] = "basket"
    for table in ("lambda", "ecs"):
        before[table]["target_group_arn"] += "0"
    before["routes"][0]["listener_arn"] += "0"
    assert import_document(before, "basket.toml").created, "the service that checkout left is free"


TOML = """
[application]
slug = "{slug}"
region = "sa-east-1"
alarms = ["busy"]
[lambda]
function_name = "f"
target_group_arn = "arn:aws:elasticloadbalancing:sa-east-1:123456789012:targetgroup/l-{slug}/1"
[ecs]
cluster = "apis"
service = "{slug}"
target_group_arn = "arn:aws:elasticloadbalancing:sa-east-1:123456789012:targetgroup/e-{slug}/2"
[[routes]]
listener_arn = "arn:aws:elasticloadbalancing:sa-east-1:123456789012:listener/app/{slug}/3/4"
[policy]
{policy}
"""


def write(folder: Path, slug: str, policy: str = "") -> str:
    path = folder / f"{slug}.toml"
    path.write_text(TOML.format(slug=slug, policy=policy))
    return str(path)


def imported(*files: str) -> str:
    out = StringIO()
    call_command("import_application", *files, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_the_command_says_created_unchanged_and_what_changed(tmp_path: Path) -> None:
    assert imported(write(tmp_path, "one"), write(tmp_path, "two")) == "one: created\ntwo: created\n"
    assert imported(write(tmp_path, "one")) == "one: unchanged\n"
    assert imported(write(tmp_path, "one", "failover_count = 3")) == (
        "one: changed\n  policy.failover_count: default → 3\n"
    )


@pytest.mark.django_db
def test_the_command_names_file_key_and_what_is_allowed_and_takes_the_other_files(tmp_path: Path) -> None:
    bad = write(tmp_path, "bad", 'on_inconclusive = "guess"')
    broken = tmp_path / "broken.toml"
    broken.write_text("[application")
    with pytest.raises(CommandError) as error:
        imported(bad, str(broken), str(tmp_path / "missing.toml"), write(tmp_path, "good"))
    lines = str(error.value).splitlines()
    assert lines[0] == f'{bad}: policy.on_inconclusive must be "hold" or "continue", not \'guess\'.'
    assert lines[1].startswith(f"{broken} is not valid TOML")
    assert "missing.toml can't be read" in lines[2]
    assert list(Application.objects.values_list("slug", flat=True)) == ["good"]
