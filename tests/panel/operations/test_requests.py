"""Asking twice, asking for what was approved, and asking again."""

import threading

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from failover.model import Goal, Request, Split
from failover.plan import digest
from panel.fleet.applications import configuration
from panel.fleet.models import Application
from panel.fleet.observation import observe
from panel.operations import services
from panel.operations.models import Operation, Refusal
from tests.panel.fake_aws import FakeAws
from tests.panel.operations.test_stepping import run


@pytest.fixture
def ana(db: None) -> User:
    return User.objects.create_user("ana")


def request(application: Application, goal: str = "failover", **values: object) -> Operation:
    return services.request_operation(application, goal, **{"trigger": "api", "reason": "Lambda throttles", **values})


# ---- a key that comes again ----


def test_a_key_that_comes_again_answers_with_the_same_operation(application: Application, ana: User) -> None:
    first = request(application, user=ana, idempotency_key="k1")
    assert request(application, user=ana, idempotency_key="k1") == first
    Operation.objects.update(status="succeeded", finished_at=timezone.now())
    assert request(application, user=ana, idempotency_key="k1") == first, "also when it has ended"
    assert Operation.objects.count() == 1
    assert not Refusal.objects.exists()


@pytest.mark.parametrize("other", [{"reason": "something else"}, {"override": ["ecs_ready"]}, {"goal": "failback"}])
def test_another_request_under_the_same_key_is_invalid(
    application: Application, ana: User, other: dict[str, object]
) -> None:
    first = request(application, user=ana, idempotency_key="k1")
    with pytest.raises(services.Invalid, match=f"already led to failover #{first.pk}") as invalid:
        request(application, **{"user": ana, "idempotency_key": "k1", **other})
    assert invalid.value.field == "idempotency_key"


def test_keys_are_each_requesters_own(application: Application, ana: User) -> None:
    first = request(application, user=ana, idempotency_key="k1")
    Operation.objects.update(status="succeeded", finished_at=timezone.now())
    second = request(application, user=User.objects.create_user("bo"), idempotency_key="k1")
    Operation.objects.update(status="succeeded", finished_at=timezone.now())
    nobodys = request(application, idempotency_key="k1")
    assert len({first, second, nobodys}) == 3
    assert request(application, idempotency_key="k1") == nobodys


@pytest.mark.django_db(transaction=True)
def test_of_one_key_sent_twice_at_once_both_get_the_same_operation(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have looked for the key before either has stored it."""
    ana = User.objects.create_user("ana")
    both_looked, look, looks = threading.Barrier(2), services.replayed, threading.local()

    def look_together(user: User | None, key: str) -> Operation | None:
        found = look(user, key)
        if not getattr(looks, "done", False):
            looks.done = True
            both_looked.wait(timeout=10)
        return found

    monkeypatch.setattr(services, "replayed", look_together)
    answers: list[int] = []

    def ask() -> None:
        answers.append(request(application, user=ana, idempotency_key="k1").pk)
        connection.close()

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=20)
    assert answers == [Operation.objects.get().pk] * 2


# ---- the plan that was approved ----


def plan_of(application: Application, asked: Request) -> str:
    snapshot = observe(application)
    assert snapshot is not None
    return digest(configuration(application), asked, snapshot)


def test_an_approved_plan_that_still_holds_is_started(application: Application, aws: FakeAws) -> None:
    approved = plan_of(application, Request(Goal.FAILOVER))
    observe(application)
    assert request(application, digest=approved).status == "queued"


@pytest.mark.parametrize("change", ["weights", "tasks", "policy"])
def test_a_plan_that_no_longer_holds_is_refused(application: Application, aws: FakeAws, change: str) -> None:
    approved = plan_of(application, Request(Goal.FAILOVER))
    if change == "weights":
        aws.split = Split(90, 10)
    elif change == "tasks":
        aws.desired = 5
    else:
        application.document["policy"]["failover_count"] = 7
        application.save()
    observe(application)
    with pytest.raises(services.Refused) as refused:
        request(application, digest=approved)
    assert refused.value.rule == "plan_changed"
    assert not Operation.objects.exists()
    assert Refusal.objects.get().rule == "plan_changed"


def test_a_plan_of_other_weights_was_not_approved(application: Application, aws: FakeAws) -> None:
    approved = plan_of(application, Request(Goal.SET_WEIGHTS, Split(90, 10)))
    with pytest.raises(services.Refused, match="no longer what this plan was made from"):
        request(application, "set_weights", weights=(10, 90), digest=approved)
    assert request(application, "set_weights", weights=(90, 10), digest=approved).weight_ecs == 10


def test_what_was_never_read_has_no_plan(application: Application) -> None:
    with pytest.raises(services.Refused):
        request(application, digest="0123456789ab")


# ---- triggers ----


@pytest.mark.parametrize(("trigger", "held"), [("manual", True), ("api", True), ("drill", False), ("automatic", False)])
def test_who_asked_decides_whether_automation_is_held_off_afterwards(
    application: Application, aws: FakeAws, trigger: str, held: bool
) -> None:
    assert run(request(application, trigger=trigger)).status == "succeeded"
    hold = services.active_hold(application)
    assert (hold is not None and hold.rule == "people_first") == held


# ---- again ----


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_what_failed_or_was_cancelled_is_tried_again_with_the_same_goal_and_weights(
    application: Application, ana: User, status: str
) -> None:
    first = request(application, "set_weights", weights=(90, 10), override=["ecs_ready"])
    Operation.objects.update(status=status, finished_at=timezone.now())
    first.refresh_from_db()
    again = services.retry_operation(first, reason="mended", user=ana)
    assert (again.goal, again.weight_lambda, again.weight_ecs) == ("set_weights", 90, 10)
    assert (again.retry_of, again.requested_by, again.reason, again.override) == (first, ana, "mended", [])
    assert again.journal.get().message == f"Asked for by ana: mended Tries set_weights #{first.pk} again."


def test_tasks_that_were_to_be_started_are_asked_for_again(application: Application, ana: User) -> None:
    first = request(application, "set_weights", trigger="automatic", tasks=7)
    Operation.objects.update(status="failed", finished_at=timezone.now())
    first.refresh_from_db()
    assert services.retry_operation(first, reason="mended", user=ana).progress["wanted"] == 7


@pytest.mark.parametrize("status", ["queued", "succeeded", "superseded"])
def test_anything_else_is_not_tried_again(application: Application, ana: User, status: str) -> None:
    first = request(application)
    Operation.objects.update(status=status, finished_at=None if status == "queued" else timezone.now())
    first.refresh_from_db()
    with pytest.raises(services.Refused, match=f"is {status}"):
        services.retry_operation(first, reason="again", user=ana)
