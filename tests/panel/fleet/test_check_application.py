"""`manage.py check_application`: what it prints, and its exit status."""

import pytest
from django.core.management import CommandError, call_command

from failover import aws
from failover.precondition_facts import Check, Result
from panel.fleet.models import Application


def test_each_precondition_is_printed_and_a_failure_is_the_exit_status(
    application: Application, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    checks = [Check("Routes", Result.PASS, "It forwards."), Check("Caller", Result.WARN, "Hm.", "Look.")]
    monkeypatch.setattr(aws, "checked", lambda _: tuple(checks))
    call_command("check_application", "checkout")
    assert capsys.readouterr().out.splitlines() == [
        "pass        Routes: It forwards.",
        "warn        Caller: Hm.",
        "            → Look.",
    ]
    checks.append(Check("Alarms", Result.FAIL, "There is no alarm.", "Create it."))
    with pytest.raises(CommandError, match="mend what is marked FAIL"):
        call_command("check_application", "checkout")


def test_an_unknown_application_is_told(application: Application) -> None:
    with pytest.raises(CommandError, match="there are: checkout"):
        call_command("check_application", "basket")
