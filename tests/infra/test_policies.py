"""The policies in templates and docs are the table's, and the command that writes them."""

import json

import pytest

from failover import permissions
from infra import policies
from tests.infra.conftest import CONNECTION, configuration, of_application
from tests.infra.replay import statements

TOML = """
[application]
slug = "checkout"
region = "eu-west-1"
alarms = ["throttles"]
[lambda]
function_name = "checkout"
target_group_arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/checkout-lambda/1"
[ecs]
cluster = "checkout"
service = "checkout"
target_group_arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/checkout-ecs/1"
[[routes]]
listener_arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:listener/app/checkout/1/2"
"""


@pytest.mark.parametrize("path", [path for path, _ in policies.written()], ids=lambda path: path.name)
def test_what_is_written_is_what_the_table_says(path):
    assert dict(policies.written())[path] == path.read_text(encoding="utf-8")


def test_check_names_what_differs(tmp_path, monkeypatch, capsys):
    for name in policies.TEMPLATES:
        (tmp_path / name).write_text("x:\n  # begin permissions\n  - stale\n  # end permissions\n")
    monkeypatch.setattr(policies, "HERE", tmp_path)
    assert policies.main(["--check"]) == 1
    assert "connect.yaml differs" in capsys.readouterr().err
    assert policies.main([]) == 0
    assert policies.main(["--check"]) == 0
    assert "stale" not in (tmp_path / "connect.yaml").read_text()


def test_a_template_without_the_place_is_an_error(tmp_path, monkeypatch, capsys):
    for name in policies.TEMPLATES:
        (tmp_path / name).write_text("x: 1\n")
    monkeypatch.setattr(policies, "HERE", tmp_path)
    assert policies.main(["--check"]) == 2
    assert "# begin permissions" in capsys.readouterr().err


def test_the_template_grants_what_the_applications_own_policy_does(application, deploy):
    """Resolved, the template's statements are those of policy_for(application)."""
    made = deploy("connect.yaml", **of_application(application.stack), **CONNECTION)
    wanted = permissions.policy_for(configuration(application.stack))
    assert set(map(repr, made.policies["failover-checkout"])) == set(map(repr, statements(wanted)))


def test_it_prints_the_policy_of_an_application(tmp_path, capsys):
    path = tmp_path / "checkout.toml"
    path.write_text(TOML)
    assert policies.main([str(path)]) == 0
    actions = {each for statement in json.loads(capsys.readouterr().out)["Statement"] for each in statement["Action"]}
    assert {"ecs:UpdateService", "elasticloadbalancing:ModifyListener"} <= actions
    assert policies.main([str(path), "--access", "observe"]) == 0
    assert "UpdateService" not in capsys.readouterr().out
    assert policies.main([str(path), "--no-scalable-target"]) == 0
    assert "RegisterScalableTarget" not in capsys.readouterr().out


def test_a_configuration_that_can_not_be_used_is_a_sentence(tmp_path, capsys):
    assert policies.main([str(tmp_path / "none.toml")]) == 2
    assert "can't be read" in capsys.readouterr().err
