"""Starting and refusing operations."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from panel.fleet.models import Application
from panel.operations import services
from panel.operations.models import Operation, Refusal


@pytest.fixture
def ana(db: None) -> User:
    return User.objects.create_user("ana")


def request(application: Application, goal: str = "failover", **values: object) -> Operation:
    return services.request_operation(
        application, goal, **{"trigger": "manual", "reason": "Lambda throttles", **values}
    )


def test_a_requested_operation_is_queued_and_due_at_once(application: Application, ana: User) -> None:
    operation = request(application, user=ana, override={"ecs_ready"})
    assert (operation.status, operation.document) == ("queued", application.document)
    assert operation.next_step_at is not None
    assert operation.next_step_at <= timezone.now()
    assert operation.journal.get().message == "Asked for by ana: Lambda throttles Overrides: ecs_ready."


def test_a_second_operation_is_refused_naming_the_first_and_the_way_out(application: Application) -> None:
    first = request(application)
    with pytest.raises(services.Refused) as refused:
        request(application, "failback")
    assert refused.value.rule == "single_writer"
    assert str(refused.value) == (
        f"checkout is being changed by failover #{first.pk} (queued); one operation at a time. "
        f"Wait until it ends, or cancel failover #{first.pk}."
    )
    recorded = Refusal.objects.get()
    assert (recorded.goal, recorded.rule, recorded.count) == ("failback", "single_writer", 1)
    assert Operation.objects.count() == 1


@pytest.mark.parametrize(
    ("goal", "values", "field"),
    [
        ("explode", {}, "goal"),
        ("failover", {"reason": " "}, "reason"),
        ("failover", {"weights": (1, 1)}, "weights"),
        ("set_weights", {}, "weights"),
        ("set_weights", {"weights": (0, 0)}, "weights"),
        ("set_weights", {"weights": (1000, 0)}, "weights"),
        ("failover", {"override": ["never_zero"]}, "override"),
        ("failover", {"override": ["nonsense"]}, "override"),
    ],
)
def test_what_makes_no_sense_is_refused_by_field(
    application: Application, goal: str, values: dict[str, object], field: str
) -> None:
    with pytest.raises(services.Invalid) as invalid:
        request(application, goal, **values)
    assert invalid.value.field == field
    assert invalid.value.message.endswith(".")
    assert not Operation.objects.exists()


def test_an_ended_operation_can_not_be_cancelled(application: Application, ana: User) -> None:
    operation = request(application)
    Operation.objects.update(status=Operation.Status.SUCCEEDED, finished_at=timezone.now())
    with pytest.raises(services.Refused, match="has ended already"):
        services.cancel_operation(operation, reason="changed my mind", user=ana)


def test_a_repeated_refusal_is_one_row_that_counts_triggers_and_not_polls(application: Application) -> None:
    def refuse(reason: str, *, counts: bool) -> Refusal:
        services.record_refusal(application, "failback", "dwell", reason, "Wait.", counts=counts)
        return Refusal.objects.get()

    assert refuse("OK for 5 s", counts=True).count == 1
    polled = refuse("OK for 10 s", counts=False)
    assert (polled.count, polled.reason) == (1, "OK for 10 s")
    assert refuse("OK for 12 s", counts=True).count == 2
    Refusal.objects.update(last_at=timezone.now() - timedelta(minutes=2))
    assert refuse("OK for 3 s", counts=False).count == 3, "unseen for a while: a poll met it anew"
