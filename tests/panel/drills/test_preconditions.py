"""What keeps a drill from starting: each with its rule, what clears it, and a refusal that people find."""

import copy
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from failover.codec import encode
from failover.model import AlarmState, Baseline, Memory, Part, Split
from panel.drills import advancing, services
from panel.drills.models import Drill
from panel.fleet import snapshots
from panel.fleet.applications import import_document
from panel.fleet.models import Application
from panel.operations import services as operations
from panel.operations.models import Operation, Refusal
from tests.panel.drills.conftest import look, play, play_until
from tests.panel.fake_aws import FakeAws

Change = Callable[[Application, FakeAws], object]


def held(application: Application, _: FakeAws) -> object:
    return operations.place_hold(application, owner="ana", reason="a fair", minutes=60)


def observed(application: Application, _: FakeAws) -> object:
    return operations.set_mode(application, "observe", by="ana", reason="x")


def killed(_: Application, __: FakeAws) -> object:
    return operations.set_kill_switch(on=True, by="ana", reason="x")


def busy(application: Application, _: FakeAws) -> object:
    return operations.request_operation(application, "failover", trigger="manual", reason="x")


def alarming(_: Application, aws: FakeAws) -> None:
    aws.alarm = AlarmState.ALARM


def silent(_: Application, aws: FakeAws) -> None:
    aws.alarm = AlarmState.INSUFFICIENT_DATA


def elsewhere(_: Application, aws: FakeAws) -> None:
    aws.split = Split(50, 50)


def unreadable(_: Application, aws: FakeAws) -> None:
    aws.problems[Part.ROUTES] = "AccessDenied"


def prewarmed(application: Application, aws: FakeAws) -> None:
    aws.desired = 2
    memory = encode(Memory(baseline=Baseline(0), prewarmed=2))
    Application.objects.filter(pk=application.pk).update(memory=memory)


@pytest.mark.parametrize("kind", ["drill", "rehearsal"])
@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (held, "hold"),
        (observed, "mode"),
        (killed, "kill_switch"),
        (busy, "single_writer"),
        (alarming, "real_alarm"),
        (silent, "alarm_no_data"),
        (elsewhere, "position"),
        (unreadable, "stale"),
        (prewarmed, "prewarmed"),
    ],
)
def test_what_forbids_a_drill_is_refused_and_recorded(
    application: Application, aws: FakeAws, kind: str, change: Change, rule: str
) -> None:
    change(application, aws)
    snapshots.store(application, aws.observe())
    application.refresh_from_db()
    with pytest.raises(services.Refused) as refused:
        services.start_drill(application, kind, reason="why not")
    assert refused.value.rule == rule
    assert refused.value.remedy
    assert not Drill.objects.exists()
    assert Refusal.objects.get().rule == rule


def test_what_could_not_come_home_is_not_sent_away(
    application: Application, aws: FakeAws, document: dict[str, Any]
) -> None:
    document["policy"]["demand_headroom"] = 0.8
    import_document(document, "checkout.toml")
    application.refresh_from_db()
    with pytest.raises(services.Refused) as refused:
        services.start_drill(application, "drill", reason="x")
    assert refused.value.rule == "demand"
    assert services.start_drill(application, "rehearsal", reason="a rehearsal moves no traffic").active


def test_a_window_of_the_applications_zone_blocks_drills(
    application: Application, aws: FakeAws, document: dict[str, Any]
) -> None:
    document["drills"] |= {"blocked": ["daily 00:00-24:00"], "time_zone": "America/Sao_Paulo"}
    import_document(document, "checkout.toml")
    application.refresh_from_db()
    with pytest.raises(services.Refused, match=r"“daily 00:00-24:00” \(America/Sao_Paulo\)") as refused:
        services.start_drill(application, "drill", reason="x")
    assert refused.value.rule == "blocked_window"


@pytest.mark.parametrize(
    ("name", "state", "rule"),
    [
        ("payments-degraded", AlarmState.ALARM, "blocking_alarm"),
        ("checkout-errors", AlarmState.ALARM, "aborting_alarm"),
        ("busy", AlarmState.ALARM, "real_alarm"),
        ("payments-degraded", None, "stale"),
    ],
)
def test_an_alarm_that_is_read_only_now_keeps_it_from_starting(
    drill: Drill, aws: FakeAws, name: str, state: AlarmState | None, rule: str
) -> None:
    if name == "busy":
        aws.alarm = AlarmState.ALARM
    elif state is None:
        del aws.others[name]
    else:
        aws.others[name] = state
    look(drill)
    assert (drill.state, drill.rule, drill.outcome) == ("not_started", rule, "")
    assert name in drill.told
    assert drill.remedy
    assert not Operation.objects.exists()
    assert not aws.writes
    assert Refusal.objects.get().rule == rule


def test_alarms_that_can_not_be_read_keep_it_from_starting(drill: Drill, aws: FakeAws) -> None:
    aws.problems[Part.ALARMS] = "cloudwatch: AccessDenied"
    look(drill)
    assert (drill.state, drill.rule) == ("not_started", "stale")
    assert "AccessDenied" in drill.told


def test_a_blocking_alarm_that_fires_later_ends_nothing(drill: Drill, aws: FakeAws) -> None:
    look(drill)
    aws.others["payments-degraded"] = AlarmState.ALARM
    assert play(drill).outcome == "succeeded"


def test_what_came_up_since_it_was_asked_for_keeps_it_from_starting(drill: Drill, application: Application) -> None:
    operations.place_hold(application, owner="ana", reason="a fair", minutes=60)
    look(drill)
    assert (drill.state, drill.rule) == ("not_started", "hold")


def test_one_drill_at_a_time(drill: Drill, application: Application) -> None:
    with pytest.raises(services.Refused, match=rf"drill #{drill.pk} is under way") as refused:
        services.start_drill(application, "rehearsal", reason="x")
    assert refused.value.rule == "single_writer"


def test_the_same_key_again_is_the_same_drill(application: Application, aws: FakeAws, ana: User) -> None:
    given = {"reason": "x", "user": ana, "idempotency_key": "k-1"}
    first = services.start_drill(application, "drill", **given)
    assert services.start_drill(application, "drill", **given) == first
    with pytest.raises(services.Invalid, match="has already led to"):
        services.start_drill(application, "rehearsal", **given)


def test_a_drill_that_is_aborted_before_it_began_never_begins(drill: Drill, aws: FakeAws, ana: User) -> None:
    services.abort_drill(drill, reason="wrong one", user=ana)
    with pytest.raises(services.Refused, match="being aborted already"):
        services.abort_drill(drill, reason="again", user=ana)
    look(drill)
    assert (drill.state, drill.rule, aws.writes) == ("not_started", "aborted", [])


def test_only_an_old_snapshot_is_no_basis(application: Application, aws: FakeAws) -> None:
    seen = aws.observe()
    application.stored_snapshot.delete()
    snapshots.store(application, replace(seen, at=seen.at - 120))
    with pytest.raises(services.Refused, match="not read lately"):
        services.start_drill(application, "drill", reason="x")


def test_a_drill_of_an_application_that_was_retired_meanwhile_ends(drill: Drill, application: Application) -> None:
    Application.every.filter(pk=application.pk).update(retired_at=timezone.now())
    look(drill)
    assert (drill.state, drill.rule) == ("not_started", "retired")


def test_a_drill_whose_aws_is_silent_takes_one_worker_and_then_rests(
    drill: Drill, aws: FakeAws, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered, looks, clock = aws.alarms, [], [timezone.now()]
    monkeypatch.setattr(advancing.timezone, "now", lambda: clock[0])

    def silent(names: tuple[str, ...]) -> Any:
        looks.append(clock[0])
        advancing.advance(drill.pk)  # another worker, meanwhile
        clock[0] += timedelta(seconds=20)
        return answered(names)

    monkeypatch.setattr(aws, "alarms", silent)
    advancing.advance(drill.pk)
    advancing.advance(drill.pk)
    assert len(looks) == 1
    clock[0] += timedelta(seconds=21)
    advancing.advance(drill.pk)
    assert len(looks) == 2


def test_a_slow_account_holds_one_worker_however_many_of_its_applications_are_drilled(
    drill: Drill, aws: FakeAws, document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = neighbour(document)
    looked, clock, answered = [], [timezone.now()], aws.alarms
    monkeypatch.setattr(advancing.timezone, "now", lambda: clock[0])

    def slow(names: tuple[str, ...]) -> Any:
        looked.append(names)
        clock[0] += timedelta(seconds=6)
        advancing.advance(beside.pk)  # another worker, meanwhile
        clock[0] += timedelta(seconds=14)
        return answered(names)

    monkeypatch.setattr(aws, "alarms", slow)
    advancing.advance(drill.pk)
    advancing.advance(beside.pk)
    assert len(looked) == 1, "the account rests"
    monkeypatch.setattr(aws, "alarms", answered)
    clock[0] += timedelta(seconds=21)
    advancing.advance(beside.pk)
    beside.refresh_from_db()
    assert beside.state != "asked"


def test_drills_of_one_quick_account_do_not_wait_for_each_other(
    drill: Drill, aws: FakeAws, document: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    beside, answered = neighbour(document), aws.alarms

    def meanwhile(names: tuple[str, ...]) -> Any:
        monkeypatch.setattr(aws, "alarms", answered)
        advancing.advance(beside.pk)
        return answered(names)

    monkeypatch.setattr(aws, "alarms", meanwhile)
    advancing.advance(drill.pk)
    beside.refresh_from_db()
    assert beside.state != "asked"


def neighbour(document: dict[str, Any]) -> Drill:
    """A drill that was asked for of another application in the same account and region."""
    text = json.dumps(document).replace("checkout", "search").replace("/3/4", "/5/6")
    row = import_document(json.loads(text), "search.toml").application
    return Drill.objects.create(application=row, kind="rehearsal", reason="nightly")


@pytest.mark.parametrize(("state", "ended"), [("asked", "not_started"), ("staying", "ended")])
def test_a_drill_whose_application_can_not_be_read_any_more_ends(
    drill: Drill, application: Application, aws: FakeAws, state: str, ended: str
) -> None:
    play_until(drill, state)
    application.refresh_from_db()
    document = copy.deepcopy(application.document)
    document["policy"]["failover_count"] = "two"
    Application.objects.filter(pk=application.pk).update(document=document)
    advancing.advance(drill.pk)
    drill.refresh_from_db()
    assert (drill.state, drill.rule) == (ended, "unsound")
    assert "policy.failover_count" in drill.told
    assert "Import the application again" in drill.told + drill.remedy
