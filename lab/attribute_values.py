"""DynamoDB's attribute values, such as ``{"N": "4"}``, compared and added.

Source: DynamoDB Developer Guide, "Condition and filter expressions, operators, and functions": values of different
types are not equal and have no order.
"""

from decimal import Decimal
from typing import Any

from lab.errors import AwsError

Value = dict[str, Any]
Item = dict[str, Value]

COMPARISONS = ("=", "<>", "<", "<=", ">", ">=")
_ORDERED = {"S", "N", "B"}


def invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def holds(left: Value | None, operator: str, right: Value | None) -> bool:
    """An attribute that is not there, None, equals nothing."""
    if left is None or right is None or left.keys() != right.keys():
        return operator == "<>"
    first, second = _comparable(left), _comparable(right)
    if operator in {"=", "<>"}:
        return bool(first == second) == (operator == "=")
    if next(iter(left)) not in _ORDERED:
        return False
    return bool({"<": first < second, "<=": first <= second, ">": first > second, ">=": first >= second}[operator])


def total(left: Value | None, sign: int, right: Value | None) -> Value | None:
    """``left`` plus or minus ``right``; None where one of them is not there. Raises AwsError for what is no number."""
    if left is None or right is None:
        return None
    if "N" not in left or "N" not in right:
        raise invalid("An operand in the update expression has an incorrect data type")
    return {"N": format(Decimal(left["N"]) + sign * Decimal(right["N"]), "f")}


def _comparable(value: Value) -> Any:
    """Numbers by their value, texts by their UTF-8 bytes."""
    kind, content = next(iter(value.items()))
    if kind == "N":
        return Decimal(content)
    return content.encode() if kind == "S" else content
