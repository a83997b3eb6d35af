"""The DynamoDB lease: of two controllers one writes, and what one knew the next one knows."""

import pytest
from botocore.exceptions import ClientError

from failover.aws.lease import LEASE_SECONDS, LeaseHeldError, TableLease
from failover.leases import free_in
from failover.ports import AwsError
from tests.failover.lease_contract import LeaseContract


class Table:
    """One table with the two conditions that the lease uses; each call is atomic, as DynamoDB's are."""

    def __init__(self):
        self.items = {}

    def get_item(self, *, TableName, Key, ConsistentRead):  # noqa: ARG002, N803 - boto3's names
        assert ConsistentRead, "an eventually consistent read would show a lease that is gone"
        found = self.items.get(Key["application"]["S"])
        return {"Item": dict(found)} if found else {}

    def put_item(self, *, TableName, Item, ConditionExpression, **values):  # noqa: ARG002, N803 - boto3's names
        key = Item["application"]["S"]
        held = self.items.get(key)
        if ConditionExpression.startswith("attribute_not_exists"):
            holds = held is None
        else:
            holds = held is not None and held["version"] == values["ExpressionAttributeValues"][":seen"]
        if not holds:
            raise ClientError({"Error": {"Code": "ConditionalCheckFailedException"}}, "PutItem")
        self.items[key] = Item


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def lease(clock):
    table = Table()
    return lambda holder: TableLease(table, "leases", "checkout", clock, holder)


def test_a_second_controller_is_told_who_holds_it_and_how_long(lease):
    lease("first").claim()
    with pytest.raises(LeaseHeldError, match="first is changing this application"):
        lease("second").claim()


def test_a_lease_that_was_given_back_is_free_at_once_with_its_state(lease):
    first, second = lease("first"), lease("second")
    first.claim()
    first.state = {"memory": {"dwell_factor": 2}}
    first.release()
    second.claim()
    assert second.state == {"memory": {"dwell_factor": 2}}
    assert first.seconds_left() == 0


def test_of_two_that_read_a_free_lease_one_gets_it(lease):
    first, second = lease("first"), lease("second")
    read = second._read
    second._read = lambda: (read(), first.claim())[0]
    with pytest.raises(LeaseHeldError):
        second.claim()


def test_renewing_holds_on(lease, clock):
    held = lease("first")
    held.claim()
    clock.now += LEASE_SECONDS - 1
    held.renew()
    assert held.seconds_left() == LEASE_SECONDS


def test_a_lease_that_was_given_back_is_free():
    assert free_in(None, 100.0) == 0
    assert free_in(100.0, 100.0) == LEASE_SECONDS
    assert free_in(100.0, 100.0 + LEASE_SECONDS) == 0


OURS = {
    "application": {"S": "checkout"},
    "holder": {"S": ""},
    "until": {"N": "0"},
    "version": {"N": "3"},
    "state": {"S": "{}"},
}


@pytest.mark.parametrize(
    "change",
    [
        {"holder": None},
        {"holder": {"N": "1"}},
        {"holder": "me"},
        {"until": None},
        {"until": {"S": "tomorrow"}},
        {"until": {"N": "NaN"}},
        {"version": None},
        {"version": {"N": "0"}},
        {"version": {"N": "1.5"}},
        {"state": {"M": {}}},
        {"state": {"S": "["}},
        {"state": {"S": "[]"}},
        {"state": {"S": "null"}},
        {"state": {"S": "[" * 100_000}},
    ],
)
def test_an_item_that_is_none_of_ours_is_named_and_neither_taken_nor_overwritten(lease, change):
    odd = {key: value for key, value in {**OURS, **change}.items() if value is not None}
    found = lease("first")
    found.dynamodb.items["checkout"] = odd
    with pytest.raises(AwsError) as caught:
        found.claim()
    assert caught.value.kind == "invalid"
    assert "application = 'checkout' of the DynamoDB table leases" in str(caught.value)
    assert "leases" in caught.value.remedy
    assert found.dynamodb.items["checkout"] == odd
    assert found.seconds_left() == 0


def test_an_item_without_a_state_is_taken(lease):
    found = lease("first")
    found.dynamodb.items["checkout"] = {key: value for key, value in OURS.items() if key != "state"}
    found.claim()
    assert found.state == {}


class TestTableLease(LeaseContract):
    @pytest.fixture(autouse=True)
    def _table(self, lease, clock):
        self.new, self.clock, self.holders = lease, clock, 0

    def take(self):
        self.holders += 1
        found = self.new(f"holder {self.holders}")
        try:
            found.claim()
        except LeaseHeldError:
            return None
        return found

    def store(self, handle, value):
        handle.state = {"value": value}
        try:
            handle.renew()
        except LeaseHeldError:
            return False
        return True

    def read(self, handle):
        return handle.state["value"]

    def give_back(self, handle):
        try:
            handle.release()
        except LeaseHeldError:
            return False
        return True

    def left(self, handle):
        return handle.seconds_left()

    def pass_time(self, seconds):
        self.clock.now += seconds
