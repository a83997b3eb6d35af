"""Condition and update expressions.

DynamoDB Developer Guide, "Condition and filter expressions, operators, and functions" (precedence: comparisons,
BETWEEN, functions, NOT, AND, OR), "Update expressions", "Expression attribute names" and "Reserved words in DynamoDB".
"""

import pytest

from lab.errors import AwsError
from lab.expressions import Placeholders, condition, update

ITEM = {"version": {"N": "10"}, "owner_name": {"S": "ana"}, "on_call": {"BOOL": True}}
VALUES = {
    ":nine": {"N": "9"},
    ":ten": {"N": "10.0"},
    ":eleven": {"N": "11"},
    ":ana": {"S": "ana"},
    ":bob": {"S": "bob"},
}
NAMES = {"#v": "version", "#state": "state"}


def holds(text, item=ITEM):
    return condition(text, Placeholders(NAMES, VALUES))(item)


@pytest.mark.parametrize(
    "text",
    [
        "version = :ten",
        "#v <> :nine",
        "version > :nine",
        "version < :eleven",
        "version >= :ten and version <= :ten",
        "version BETWEEN :nine AND :eleven",
        "attribute_exists(owner_name)",
        "attribute_not_exists(#state)",
        "NOT version = :nine",
        "owner_name = :bob OR owner_name = :ana",
        "owner_name = :ana OR owner_name = :bob AND version = :nine",
        "NOT (version = :nine OR owner_name = :bob)",
        ":nine < version",
        "nowhere <> :ana",
    ],
)
def test_a_condition_that_holds(text):
    assert holds(text)


@pytest.mark.parametrize(
    "text",
    [
        "version = :nine",
        "version = :ana",
        "version > :ana",
        "nowhere = :ana",
        "nowhere < :ana",
        "version BETWEEN :eleven AND :nine",
        "attribute_exists(nowhere)",
        "attribute_not_exists(version)",
        "(owner_name = :ana OR owner_name = :bob) AND version = :nine",
        "NOT owner_name = :ana AND version = :nine",
    ],
)
def test_a_condition_that_does_not_hold(text):
    assert not holds(text)


def test_numbers_are_compared_as_numbers_and_texts_as_texts():
    assert holds("#v > :nine"), "10 is more than 9"
    assert not condition("a > :b", Placeholders({}, {":b": {"S": "9"}}))({"a": {"S": "10"}})


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Invalid ConditionExpression: The expression can not be empty;"),
        ("version = ", 'Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "="'),
        ("version == :ten", 'Invalid ConditionExpression: Syntax error; token: "=", near: "= = :ten"'),
        ("(version = :ten", 'Syntax error; token: "<EOF>"'),
        ("version = :ten owner_name", 'Syntax error; token: "owner_name", near: ":ten owner_name"'),
        ("status = :ten", "Attribute name is a reserved keyword; reserved keyword: status"),
        (
            "#nobody = :ten",
            "An expression attribute name used in the document path is not defined; attribute name: #nobody",
        ),
        ("version = :none", "An expression attribute value used in expression is not defined; attribute value: :none"),
    ],
)
def test_a_wrong_condition_is_a_validation_exception_in_dynamodbs_words(text, sentence):
    with pytest.raises(AwsError) as wrong:
        holds(text)
    assert wrong.value.code == "ValidationException"
    assert sentence in wrong.value.message


@pytest.mark.parametrize(
    ("names", "values", "sentence"),
    [
        ({"#v": "version"}, {":ten": {"N": "1"}}, "ExpressionAttributeNames unused in expressions: keys: {#v}"),
        ({}, {":ten": {"N": "1"}, ":x": {"N": "2"}}, "ExpressionAttributeValues unused in expressions: keys: {:x}"),
    ],
)
def test_a_placeholder_that_nothing_uses_is_refused(names, values, sentence):
    placeholders = Placeholders(names, values)
    condition("version = :ten", placeholders)
    with pytest.raises(AwsError, match=sentence.replace("{", r"\{")):
        placeholders.check_used()


def changed(text, item=ITEM):
    return update(text, Placeholders(NAMES, VALUES)).apply(item)


def test_an_update_sets_and_removes_and_leaves_the_rest():
    after = changed("SET owner_name = :bob, #state = :ana REMOVE on_call")
    assert after == {"version": {"N": "10"}, "owner_name": {"S": "bob"}, "state": {"S": "ana"}}
    assert ITEM["owner_name"] == {"S": "ana"}, "the version before it stays as it was"


def test_operands_are_those_of_the_item_as_it_was():
    assert changed("SET version = version + :nine, seen = version")["version"] == {"N": "19"}
    assert changed("SET version = version - :nine, seen = version")["seen"] == {"N": "10"}


def test_if_not_exists_keeps_what_is_there():
    assert changed("SET version = if_not_exists(version, :nine)")["version"] == {"N": "10"}
    assert changed("SET seen = if_not_exists(seen, :nine)")["seen"] == {"N": "9"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("SET a = :ten SET b = :ten", 'The "SET" section can only be used once in an update expression;'),
        ("SET seen = nowhere", "refers to an attribute that does not exist in the item"),
        ("SET seen = owner_name + :ten", "incorrect data type"),
        ("version = :ten", 'Syntax error; token: "version"'),
        ("SET status = :ten", "reserved keyword: status"),
    ],
)
def test_a_wrong_update_is_a_validation_exception(text, sentence):
    with pytest.raises(AwsError) as wrong:
        changed(text)
    assert wrong.value.code == "ValidationException"
    assert sentence in wrong.value.message
