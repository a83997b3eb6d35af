"""A real worker and a real beat deliver what nothing woke them for."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from panel.accounts.models import default_team
from panel.fleet.models import Application
from panel.notify import targets
from panel.notify.models import Delivery
from panel.operations import services
from tests.panel.notify.conftest import outcome
from tests.panel.receivers import Receiver
from tests.panel.test_worker import WORKER, Until, part, until

__all__ = ["until"]


@pytest.mark.full
@pytest.mark.django_db(transaction=True)
def test_a_worker_delivers_by_every_way(
    application: Application,
    receiver: Receiver,
    valkey_server: str,
    tmp_path: Path,
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PANEL_OUTBOUND_ALLOW", "127.0.0.0/8")
    team, wanted = default_team(), ["hold.placed"]
    targets.add(team, "hook", "webhook", f"{receiver.url}/hook/t0ken", wanted, by="ada")
    targets.add(team, "json", "apprise", f"{receiver.url.replace('http', 'json')}/json/t0ken", wanted, by="ada")
    targets.add(team, "log", "console", "", wanted, by="ada")
    receiver.answers = [200]
    # No broker is known to this process: whatever it would wake is lost.
    services.place_hold(application, owner="ada", reason="deploying", minutes=5)
    broker = valkey_server.replace("/0", "/7")
    with part(tmp_path / "worker.log", broker, *WORKER), part(tmp_path / "beat.log", broker, "beat"):
        until(lambda: outcome() == [("delivered", 1)] * 3, "the deliveries")
    assert {heard.path for heard in receiver.heard} == {"/hook/t0ken", "/json/t0ken"}
    log = (tmp_path / "worker.log").read_text()
    [line] = [json.loads(line) for line in log.splitlines() if '"event": "notification"' in line]
    assert (line["title"], line["target"]) == ("checkout: held", "log")
    assert "t0ken" not in log + (tmp_path / "beat.log").read_text()
    assert not Delivery.objects.exclude(error="").exists()
