"""DynamoDB: single items, read and written under conditions.

Source: DynamoDB API Reference, ``GetItem``, ``PutItem``, ``UpdateItem``, ``DeleteItem``.
"""

from collections.abc import Callable
from typing import Any

from lab import expressions
from lab.attribute_values import Item, invalid
from lab.dynamodb import ConditionalCheckError, Table
from lab.errors import AwsError
from lab.expressions import Condition, Placeholders, Update
from lab.members import ALL, refuse_unread
from lab.world import World

_LEGACY = {"AttributesToGet", "AttributeUpdates", "Expected", "ConditionalOperator", "ProjectionExpression"}
_OLD_OR_NONE = ("NONE", "ALL_OLD")
_TABLE = {
    "TableName": ALL, "KeySchema": ALL, "AttributeDefinitions": ALL, "BillingMode": ALL,
    "DeletionProtectionEnabled": ALL,
}  # fmt: skip


def create_table(world: World, given: dict[str, Any], _now: float) -> dict[str, Any]:
    """On-demand tables with a text partition key; they are ACTIVE at once."""
    refuse_unread(given, _TABLE, "ValidationException")
    name, schema = given["TableName"], given["KeySchema"]
    if name in world.tables:
        raise AwsError("ResourceInUseException", f"Table already exists: {name}")
    key = schema[0]["AttributeName"]
    texts = [{"AttributeName": key, "AttributeType": "S"}]
    if schema != [{"AttributeName": key, "KeyType": "HASH"}] or given["AttributeDefinitions"] != texts:
        raise invalid("The lab's tables have one key, a text partition key")
    if given.get("BillingMode") != "PAY_PER_REQUEST":
        raise invalid("The lab's tables are on demand: BillingMode must be PAY_PER_REQUEST")
    world.tables[name] = Table(name, key)
    described = {"TableName": name, "TableArn": world.arn("dynamodb", f"table/{name}"), "TableStatus": "ACTIVE"}
    protected = given.get("DeletionProtectionEnabled", False)
    shown = {"KeySchema": schema, "AttributeDefinitions": texts, "DeletionProtectionEnabled": protected}
    return {"TableDescription": {**described, **shown}}


def get_item(world: World, given: dict[str, Any], now: float) -> dict[str, Any]:
    table = _table(world, given)
    item = table.get(table.key_of(given["Key"]), now, consistent=given.get("ConsistentRead", False))
    return {"Item": item}


def put_item(world: World, given: dict[str, Any], now: float) -> dict[str, Any]:
    table, item = _table(world, given), given["Item"]
    _check_return_values(given)
    old = _write(table, table.key_in(item), item, _condition(given), given, now)
    return {"Attributes": old if given.get("ReturnValues") == "ALL_OLD" else None}


def delete_item(world: World, given: dict[str, Any], now: float) -> dict[str, Any]:
    table = _table(world, given)
    _check_return_values(given)
    old = _write(table, table.key_of(given["Key"]), None, _condition(given), given, now)
    return {"Attributes": old if given.get("ReturnValues") == "ALL_OLD" else None}


def update_item(world: World, given: dict[str, Any], now: float) -> dict[str, Any]:
    """An item that does not exist is made, with its key."""
    table = _table(world, given)
    key = table.key_of(given["Key"])
    placeholders = _placeholders(given)
    change = expressions.update(given["UpdateExpression"], placeholders) if "UpdateExpression" in given else None
    condition = _condition(given, placeholders)
    if change and table.key in change.names:
        raise invalid(
            "One or more parameter values were invalid: "
            f"Cannot update attribute {table.key}. This attribute is part of the key"
        )
    old = table.items.get(key)
    _check_holds(condition, old, given)
    before = old or dict(given["Key"])
    new = change.apply(before) if change else before
    _write(table, key, new, condition, given, now)
    return {"Attributes": _returned(given.get("ReturnValues", "NONE"), old, new, change)}


def _returned(wanted: str, old: Item | None, new: Item, change: Update | None) -> Item | None:
    shown = {"ALL_OLD": old, "ALL_NEW": new, "UPDATED_OLD": old, "UPDATED_NEW": new}.get(wanted)
    if shown is None or not wanted.startswith("UPDATED"):
        return shown
    return {name: shown[name] for name in (change.names if change else ()) if name in shown}


def _table(world: World, given: dict[str, Any]) -> Table:
    legacy = sorted(_LEGACY & set(given))
    if legacy:
        raise invalid(f"The lab has no {', '.join(legacy)}")
    table = world.tables.get(given["TableName"].rpartition("/")[2])
    if table is None:
        raise AwsError("ResourceNotFoundException", "Requested resource not found")
    return table


def _write(
    table: Table, key: str, item: Item | None, condition: Condition, given: dict[str, Any], now: float
) -> Item | None:
    try:
        return table.write(key, item, condition, now)
    except ConditionalCheckError as error:
        raise _with_item(error, given) from error


def _check_holds(condition: Condition, item: Item | None, given: dict[str, Any]) -> None:
    """Before an update is worked out: a failed condition goes before an operand that is not there."""
    if not condition(item or {}):
        raise _with_item(ConditionalCheckError(item), given)


def _with_item(error: ConditionalCheckError, given: dict[str, Any]) -> AwsError:
    if given.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD" and error.item is not None:
        error.members = {"Item": error.item}
    return error


def _placeholders(given: dict[str, Any]) -> Placeholders:
    return Placeholders(given.get("ExpressionAttributeNames", {}), given.get("ExpressionAttributeValues", {}))


def _condition(given: dict[str, Any], placeholders: Placeholders | None = None) -> Condition:
    """The request's condition; it is the last expression that is read, so every placeholder must be used by now."""
    placeholders = placeholders or _placeholders(given)
    text = given.get("ConditionExpression")
    if text is None and "UpdateExpression" not in given:
        _check_no_placeholders(given)
    holds: Callable[[Item], bool] = expressions.condition(text, placeholders) if text is not None else _always
    placeholders.check_used()
    return holds


def _check_no_placeholders(given: dict[str, Any]) -> None:
    for name in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        if name in given:
            raise invalid(f"{name} can only be specified when using expressions")


def _always(_item: Item) -> bool:
    return True


def _check_return_values(given: dict[str, Any]) -> None:
    if given.get("ReturnValues", "NONE") not in _OLD_OR_NONE:
        raise invalid("ReturnValues can only be ALL_OLD or NONE")


OPERATIONS = {
    "CreateTable": create_table,
    "GetItem": get_item,
    "PutItem": put_item,
    "UpdateItem": update_item,
    "DeleteItem": delete_item,
}
