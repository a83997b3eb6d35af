"""DynamoDB over HTTP with unmodified boto3, and the controller's lease against it.

DynamoDB API Reference, ``PutItem``, ``UpdateItem``, ``DeleteItem``, ``GetItem`` (``ReturnValues``,
``ReturnValuesOnConditionCheckFailure``, errors); DynamoDB Developer Guide, "Read consistency" (an eventually consistent
read may not reflect a recent write) and "Condition expressions".
"""

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from failover.aws.lease import LEASE_SECONDS, LeaseHeldError, TableLease
from tests.lab.on_virtual import Wire


@pytest.fixture
def dynamodb(virtual):
    return Wire(virtual).client("dynamodb")


def key(application="checkout"):
    return {"application": {"S": application}}


def put(dynamodb, version, **given):
    return dynamodb.put_item(TableName="leases", Item=key() | {"version": {"N": str(version)}}, **given)


def read(dynamodb, *, consistent=True):
    item = dynamodb.get_item(TableName="leases", Key=key(), ConsistentRead=consistent).get("Item")
    return item and item.get("version", {}).get("N")


def seen(version):
    return {"ConditionExpression": "version = :seen", "ExpressionAttributeValues": {":seen": {"N": str(version)}}}


def refusal(call, **given):
    with pytest.raises(ClientError) as refused:
        call(**given)
    return refused.value.response


def test_what_is_put_is_read_and_what_was_there_is_returned_on_demand(dynamodb):
    assert read(dynamodb) is None
    assert "Attributes" not in put(dynamodb, 1, ReturnValues="ALL_OLD")
    assert put(dynamodb, 2, ReturnValues="ALL_OLD")["Attributes"] == key() | {"version": {"N": "1"}}
    assert "Attributes" not in put(dynamodb, 3)
    assert read(dynamodb) == "3"


def test_of_two_writers_that_saw_the_same_version_one_writes(dynamodb):
    put(dynamodb, 1, ConditionExpression="attribute_not_exists(application)")
    put(dynamodb, 2, **seen(1))
    response = refusal(lambda: put(dynamodb, 2, **seen(1)))
    assert response["Error"] == {
        "Code": "ConditionalCheckFailedException",
        "Message": "The conditional request failed",
    }
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert "Item" not in response
    assert read(dynamodb) == "2"


def test_a_failed_condition_shows_the_item_to_who_asks(dynamodb):
    put(dynamodb, 7)
    response = refusal(lambda: put(dynamodb, 2, **seen(1), ReturnValuesOnConditionCheckFailure="ALL_OLD"))
    assert response["Item"] == key() | {"version": {"N": "7"}}


def test_an_eventually_consistent_read_lags_for_half_a_second(dynamodb, virtual):
    put(dynamodb, 1)
    virtual.now += 1
    put(dynamodb, 2)
    assert (read(dynamodb), read(dynamodb, consistent=False)) == ("2", "1")
    virtual.now += 0.49
    assert read(dynamodb, consistent=False) == "1"
    virtual.now += 0.01
    assert read(dynamodb, consistent=False) == "2"


def test_a_new_item_is_not_there_yet_and_a_deleted_one_still_is(dynamodb, virtual):
    put(dynamodb, 1)
    assert read(dynamodb, consistent=False) is None
    virtual.now += 1
    dynamodb.delete_item(TableName="leases", Key=key())
    assert (read(dynamodb), read(dynamodb, consistent=False)) == (None, "1")


def test_deleting_is_conditional_too(dynamodb):
    put(dynamodb, 1)
    response = refusal(dynamodb.delete_item, TableName="leases", Key=key(), **seen(2))
    assert response["Error"]["Code"] == "ConditionalCheckFailedException"
    old = dynamodb.delete_item(TableName="leases", Key=key(), **seen(1), ReturnValues="ALL_OLD")["Attributes"]
    assert old["version"] == {"N": "1"}
    assert read(dynamodb) is None
    assert "Attributes" not in dynamodb.delete_item(TableName="leases", Key=key(), ReturnValues="ALL_OLD")


def update(dynamodb, **given):
    return dynamodb.update_item(TableName="leases", Key=key(), **given)


def count_up(dynamodb, **given):
    return update(
        dynamodb,
        UpdateExpression="SET #v = if_not_exists(#v, :none) + :one",
        ExpressionAttributeNames={"#v": "version"},
        ExpressionAttributeValues={":one": {"N": "1"}, ":none": {"N": "0"}},
        **given,
    )


def test_an_update_makes_the_item_or_changes_it(dynamodb):
    assert "Attributes" not in count_up(dynamodb)
    assert count_up(dynamodb, ReturnValues="ALL_NEW")["Attributes"] == key() | {"version": {"N": "2"}}
    assert count_up(dynamodb, ReturnValues="UPDATED_OLD")["Attributes"] == {"version": {"N": "2"}}
    assert count_up(dynamodb, ReturnValues="UPDATED_NEW")["Attributes"] == {"version": {"N": "4"}}
    assert count_up(dynamodb, ReturnValues="ALL_OLD")["Attributes"] == key() | {"version": {"N": "4"}}
    removed = update(dynamodb, UpdateExpression="REMOVE version", ReturnValues="ALL_NEW")["Attributes"]
    assert removed == key()


def test_an_update_whose_condition_fails_changes_nothing_and_makes_no_item(dynamodb):
    response = refusal(lambda: count_up(dynamodb, ConditionExpression="attribute_exists(application)"))
    assert response["Error"]["Code"] == "ConditionalCheckFailedException"
    assert read(dynamodb) is None


@pytest.mark.parametrize(
    ("operation", "given", "sentence"),
    [
        ("get_item", {"Key": {"id": {"S": "1"}}}, "The provided key element does not match the schema"),
        ("get_item", {"Key": {"application": {"N": "1"}}}, "The provided key element does not match the schema"),
        ("put_item", {"Item": {"version": {"N": "1"}}}, "Missing the key application in the item"),
        ("put_item", {"Item": {"application": {"N": "1"}}}, "Type mismatch for key application expected: S actual: N"),
        ("put_item", {"Item": {"application": {"S": ""}}}, "cannot contain an empty string value. Key: application"),
        ("put_item", {"Item": key(), "ReturnValues": "ALL_NEW"}, "ReturnValues can only be ALL_OLD or NONE"),
        ("put_item", {"Item": key(), "ConditionExpression": "a ="}, "Invalid ConditionExpression: Syntax error;"),
        (
            "put_item",
            {"Item": key(), "ExpressionAttributeNames": {"#a": "b"}},
            "ExpressionAttributeNames can only be specified when using expressions",
        ),
        (
            "update_item",
            {"Key": key(), "UpdateExpression": "REMOVE application"},
            "Cannot update attribute application. This attribute is part of the key",
        ),
        ("get_item", {"Key": key(), "AttributesToGet": ["version"]}, "The lab has no AttributesToGet"),
    ],
)
def test_what_is_not_valid_is_a_validation_exception(dynamodb, operation, given, sentence):
    error = refusal(getattr(dynamodb, operation), TableName="leases", **given)["Error"]
    assert error["Code"] == "ValidationException"
    assert sentence in error["Message"]


def test_a_table_that_is_not_there_is_not_found(dynamodb):
    error = refusal(dynamodb.get_item, TableName="none", Key=key())["Error"]
    assert error == {"Code": "ResourceNotFoundException", "Message": "Requested resource not found"}


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def lease(aws):
    """Leases of one application over HTTP, whose item is removed afterwards."""
    dynamodb, clock = aws("dynamodb"), Clock()

    def of(holder):
        return TableLease(dynamodb, "leases", "checkout", clock, holder)

    of.clock = clock
    yield of
    dynamodb.delete_item(TableName="leases", Key=key())


@pytest.mark.lab
def test_the_controllers_lease_over_http(lease):
    first, second = lease("first"), lease("second")
    first.claim()
    with pytest.raises(LeaseHeldError, match="first is changing this application"):
        second.claim()
    first.state = {"memory": {"dwell_factor": 2}}
    first.release()
    second.claim()
    assert second.state == {"memory": {"dwell_factor": 2}}


@pytest.mark.lab
def test_a_controller_that_lost_its_lease_can_not_write_over_http(lease):
    slow, quick = lease("slow"), lease("quick")
    slow.claim()
    lease.clock.now += 2 * LEASE_SECONDS
    quick.claim()
    with pytest.raises(LeaseHeldError):
        slow.renew()
    quick.renew()
    assert quick.seconds_left() == LEASE_SECONDS


def test_a_lease_whose_answer_was_lost_is_seen_by_reading_again(virtual):
    wire, clock = Wire(virtual), Clock()
    lease = TableLease(wire.client("dynamodb"), "leases", "checkout", clock, "first")
    virtual.faults.set("api_silent", ["dynamodb"])
    with pytest.raises(Exception, match="no usable answer") as unanswered:
        lease.claim()
    assert isinstance(unanswered.value.__cause__, ReadTimeoutError)
    virtual.faults.clear()
    virtual.faults.set("api_answer_lost", ["dynamodb:PutItem"])
    with pytest.raises(Exception, match="no usable answer"):
        lease.claim()
    assert lease.seconds_left() == 0, "nobody may write on a lease of which nothing is known"
    virtual.faults.clear()
    lease.claim()
    assert lease.seconds_left() == LEASE_SECONDS
