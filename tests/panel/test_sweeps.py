"""The look at whatever waits."""

import pytest
from django.db import OperationalError

from panel import dispatch, sweeps
from panel.fleet.models import Application
from panel.operations import services


def test_one_that_fails_leaves_the_others_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = []

    def broken() -> None:
        raise ValueError

    monkeypatch.setattr(sweeps, "SWEEPS", (broken, lambda: looked.append("here")))
    sweeps.sweep()
    assert looked == ["here"]


def test_without_a_database_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> None:
        raise OperationalError

    monkeypatch.setattr(sweeps, "SWEEPS", (gone, pytest.fail))
    with pytest.raises(OperationalError):
        sweeps.sweep()


def test_probes_are_asked_for_while_an_operation_is_under_way(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(dispatch, "tick", lambda task, **_: asked.append(task))
    sweeps.sweep()
    assert asked == []
    services.request_operation(application, "failover", trigger="manual", reason="a test")
    sweeps.sweep()
    assert asked == ["probing.round"]
