"""DynamoDB: tables with a partition key, whose writes are conditional and atomic.

Source: DynamoDB Developer Guide, "Read consistency" (an eventually consistent read may not reflect a recent write,
usually within a second) and "Condition expressions".
"""

from dataclasses import dataclass, field

from lab.attribute_values import Item, invalid
from lab.errors import AwsError
from lab.expressions import Condition

LAG_SECONDS = 0.5


class ConditionalCheckError(AwsError):
    """A condition that does not hold; ``item`` is what it was checked against."""

    def __init__(self, item: Item | None) -> None:
        super().__init__("ConditionalCheckFailedException", "The conditional request failed")
        self.item = item


@dataclass(frozen=True)
class Version:
    """What an item was before its newest write, and when that was."""

    item: Item | None
    replaced: float


@dataclass
class Table:
    """Items by the value of ``key``, a text attribute."""

    name: str
    key: str
    items: dict[str, Item] = field(default_factory=dict)
    _before: dict[str, Version] = field(default_factory=dict)

    def get(self, key: str, now: float, *, consistent: bool) -> Item | None:
        """An eventually consistent read still shows the version before a write of the last half second."""
        before = self._before.get(key)
        if before and not consistent and now - before.replaced < LAG_SECONDS:
            return before.item
        return self.items.get(key)

    def write(self, key: str, item: Item | None, condition: Condition, now: float) -> Item | None:
        """Replaces an item, or deletes it for None; returns what was there. Raises ConditionalCheckError."""
        found = self.items.get(key)
        if not condition(found or {}):
            raise ConditionalCheckError(found)
        self._before[key] = Version(found, now)
        if item is None:
            self.items.pop(key, None)
        else:
            self.items[key] = item
        return found

    def key_of(self, given: Item) -> str:
        """The key's value in a Key. Raises AwsError for another schema."""
        if set(given) != {self.key} or "S" not in given[self.key]:
            raise invalid("The provided key element does not match the schema")
        return self._not_empty(given[self.key]["S"])

    def key_in(self, item: Item) -> str:
        """The key's value in a whole item. Raises AwsError where it is missing."""
        if self.key not in item:
            raise invalid(f"One or more parameter values were invalid: Missing the key {self.key} in the item")
        kind, value = next(iter(item[self.key].items()))
        if kind != "S":
            raise invalid(
                "One or more parameter values were invalid: "
                f"Type mismatch for key {self.key} expected: S actual: {kind}"
            )
        return self._not_empty(value)

    def _not_empty(self, value: str) -> str:
        if value:
            return value
        raise invalid(
            "One or more parameter values are not valid. The AttributeValue for a key attribute "
            f"cannot contain an empty string value. Key: {self.key}"
        )
