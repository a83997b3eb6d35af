"""The database's lease keeps the same contract as DynamoDB's."""

from types import SimpleNamespace

import pytest
from django.utils import timezone

from panel.fleet.models import Application
from panel.operations import journal, services
from panel.operations.models import Operation
from tests.failover.lease_contract import LeaseContract


class TestRowLease(LeaseContract):
    @pytest.fixture(autouse=True)
    def _operation(self, application: Application, monkeypatch: pytest.MonkeyPatch) -> None:
        self.operation = services.request_operation(application, "failover", trigger="automatic", reason="a test")
        self.passed = 0.0
        began = timezone.now()
        clock = SimpleNamespace(now=lambda: began + journal.timedelta(seconds=self.passed))
        monkeypatch.setattr(journal, "timezone", clock)
        monkeypatch.setattr(journal, "time", SimpleNamespace(monotonic=lambda: 1000.0 + self.passed))

    def take(self) -> journal.Lease | None:
        return journal.Lease.claim(self.operation.pk)

    def store(self, handle: journal.Lease, value: str) -> bool:
        try:
            handle.update(detail=value)
        except journal.LeaseLostError:
            return False
        return True

    def read(self, _: journal.Lease) -> str:
        return Operation.objects.get(pk=self.operation.pk).detail

    def give_back(self, handle: journal.Lease) -> bool:
        try:
            handle.give_back()
        except journal.LeaseLostError:
            return False
        return True

    def left(self, handle: journal.Lease) -> float:
        return handle.seconds_left()

    def pass_time(self, seconds: float) -> None:
        self.passed += seconds

    def test_of_two_that_saw_it_free_one_gets_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The second one's UPDATE finds another version than it read."""
        faster: list[journal.Lease | None] = []
        coalesce = journal.Coalesce

        def while_the_first_hesitates(*arguments: object) -> object:
            monkeypatch.setattr(journal, "Coalesce", coalesce)
            faster.append(self.take())
            return coalesce(*arguments)

        monkeypatch.setattr(journal, "Coalesce", while_the_first_hesitates)
        assert self.take() is None
        assert faster[0] is not None
