"""Each kind is told, by what makes it happen, to a real server that fails three times first."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client

from failover.model import Decision, Kind, Progress
from panel.accounts.models import Team
from panel.fleet.models import Application
from panel.notify import kinds, sealing, sending, targets, wording
from panel.notify.models import Delivery, Notice, Target
from panel.operations import services
from panel.operations import told as tellers
from panel.operations.models import Operation
from tests.panel.fake_aws import FakeAws
from tests.panel.notify.acts import ACTS, World, start
from tests.panel.notify.conftest import Clock, outcome
from tests.panel.receivers import Receiver, nobody


@pytest.fixture
def world(application: Application, aws: FakeAws, told: targets.Added, fleet: object) -> World:
    return World(application, aws, User.objects.create_user("ada"), told.target)


def test_every_kind_has_something_that_makes_it_happen() -> None:
    assert set(ACTS) == set(kinds.kinds())


@pytest.mark.parametrize("kind", sorted(set(ACTS) - {"test"}))
def test_each_kind_arrives_once_although_three_deliveries_fail(
    kind: str,
    world: World,
    told: targets.Added,
    receiver: Receiver,
    clock: Clock,
    deliver: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Target.objects.update(kinds=[kind])
    address = Target.objects.get().address
    receiver.answers = [500, 0, 204]

    ACTS[kind](world)
    deliver()
    assert Delivery.objects.get().error == "127.0.0.1 answered 500."
    clock.forward(minutes=2)
    with monkeypatch.context() as impatient:
        impatient.setattr(sending, "SECONDS", 0.1)
        deliver()
    assert Delivery.objects.get().error == "127.0.0.1 did not answer within 0.1 s."
    clock.forward(minutes=2)
    Target.objects.update(address=sealing.seal(nobody()))
    deliver()
    assert Delivery.objects.get().error == "127.0.0.1 refused the connection: nothing listens there."
    clock.forward(minutes=10)
    Target.objects.update(address=address)
    deliver()
    clock.forward(days=1)
    deliver()

    assert outcome() == [("delivered", 4)]
    assert Delivery.objects.get().error == ""
    bodies = [json.loads(heard.body) for heard in receiver.heard]
    assert [body["kind"] for body in bodies] == [kind] * 3
    assert len({body["id"] for body in bodies}) == 1, "the same id at each try"
    _is_readable(bodies[-1], kinds.kinds()[kind])


def _is_readable(body: dict[str, Any], kind: kinds.Kind) -> None:
    assert len(body["title"]) <= 80, "it fits a lock screen"
    assert body["title"].startswith("checkout: ") == bool(body["application"])
    assert body["severity"] == kind.severity
    assert body["what"].endswith(".")
    assert body["next"].endswith(".")
    assert not re.search(r"[{}]", json.dumps(body["title"] + body["what"] + body["next"] + body["link"]))
    assert body["link"].startswith("http://127.0.0.1:8000/")
    if body["application"]:
        assert re.search(r"as read at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC|could not be read", body["traffic"])
    assert body["happened_at"].endswith("+00:00")


@pytest.mark.parametrize("kind", sorted(set(ACTS) - {"test"}))
def test_its_link_leads_to_a_page(kind: str, world: World) -> None:
    Target.objects.update(kinds=[kind])
    ACTS[kind](world)
    browser = Client()
    browser.force_login(User.objects.create_superuser("root"))
    assert browser.get(Notice.objects.get().path).status_code == 200


@pytest.mark.usefixtures("world")
def test_who_receives_it_can_check_the_signature(
    told: targets.Added, application: Application, receiver: Receiver, deliver: Callable[[], None]
) -> None:
    services.place_hold(application, owner="ada", reason="déploiement", minutes=5)
    deliver()
    [heard] = receiver.heard

    # Nothing of ours from here on: this is what docs/notifications.md tells a receiver to do.
    parts = dict(part.split("=", 1) for part in heard.headers["Panel-Signature"].split(","))
    expected = hmac.new(told.secret.encode(), f"{parts['t']}.".encode() + heard.body, hashlib.sha256).hexdigest()
    assert hmac.compare_digest(expected, parts["v1"])
    assert heard.headers["Panel-Message-Id"] == json.loads(heard.body)["id"]
    assert (heard.path, heard.headers["Content-Type"]) == ("/hook/s3cret-path", "application/json")


def test_it_says_what_happened_where_traffic_is_what_is_next_who_and_why(
    world: World, receiver: Receiver, deliver: Callable[[], None]
) -> None:
    Target.objects.update(kinds=["failover.done"])
    ACTS["failover.done"](world)
    notice = Notice.objects.get()
    operation = Operation.objects.get()
    message = wording.single(notice, "id")
    lines = message.text.splitlines()
    assert message.title == "checkout: failover done"
    assert lines[0].startswith(f"failover #{operation.pk} is done.")
    assert re.fullmatch(r"Traffic: all on ECS, as read at \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC\.", lines[1])
    assert lines[2].startswith("Next: ")
    assert lines[3] == "By ada: Lambda throttles"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC", lines[4])
    assert lines[5] == f"http://127.0.0.1:8000/operations/{operation.pk}/"


def test_what_is_rolled_back_is_not_told(world: World) -> None:
    start(world)
    with pytest.raises(services.Refused):
        start(world, "failback")
    kinds_told = list(Notice.objects.order_by("pk").values_list("kind", flat=True))
    assert kinds_told == ["failover.started", "refused.waits"], "the second start left its refusal alone"


def test_the_same_end_is_told_once(world: World, django_capture_on_commit_callbacks: Any) -> None:
    operation = start(world)
    ended = Decision(Kind.DONE, "Done", Progress())
    for _ in range(2):
        tellers.ended(operation, Operation.Status.SUCCEEDED, ended)
    assert Notice.objects.filter(kind="failover.done").count() == 1


def test_a_failure_for_want_of_a_healthy_pool_reaches_who_wants_pages_alone(world: World) -> None:
    Target.objects.update(kinds=["people.paged"])
    decision = Decision(Kind.STOP, "Neither pool is healthy", Progress(), rule="towards_health")
    tellers.ended(start(world), Operation.Status.FAILED, decision)
    assert Notice.objects.get().kind == "failover.failed"


def test_a_team_hears_of_its_own_applications_and_of_what_concerns_all(world: World, team: Team) -> None:
    everything = [kind.name for kind in kinds.choosable(every_team=False)]
    own = targets.add(team, "own", "console", "", everything, by="ada").target
    foreign = targets.add(Team.objects.create(slug="other", name="Other"), "theirs", "console", "", everything, by="b")
    services.place_hold(world.application, owner="ada", reason="deploying", minutes=5)
    services.set_kill_switch(on=True, by="ada", reason="a region is down")
    ACTS["panel.sick"](world)

    def heard(target: Target) -> list[str]:
        return list(target.deliveries.order_by("pk").values_list("notice__kind", flat=True))

    assert heard(own) == ["hold.placed", "kill_switch.on"]
    assert heard(foreign.target) == ["kill_switch.on"]
    assert heard(world.target) == ["hold.placed", "kill_switch.on", "panel.sick"]


def test_nobody_who_wants_it_leaves_no_row(application: Application) -> None:
    services.place_hold(application, owner="ada", reason="deploying", minutes=5)
    assert not Notice.objects.exists()


def test_the_documentation_has_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("notification_kinds")
    printed = capsys.readouterr().out.strip()
    assert printed in Path("docs/notifications.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("broken", ["the wording", "the database"])
def test_an_operation_starts_also_where_nobody_can_be_told(
    world: World, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    def fail(*_: object, **__: object) -> str:
        if broken == "the database":
            return Notice.objects.raw("SELECT nothing FROM nowhere")[0].title  # type: ignore[no-any-return]
        raise ValueError(broken)

    monkeypatch.setattr(wording, "traffic", fail)
    operation = start(world)
    assert Operation.objects.get(pk=operation.pk).status == "queued"
    assert operation.journal.exists()
    assert not Notice.objects.exists()
    assert "not_told" in caplog.text
