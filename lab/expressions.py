"""DynamoDB's condition and update expressions, as functions of an item.

Top-level attributes alone: no document paths, no sizes, no sets' ADD and DELETE. Source: DynamoDB Developer Guide,
"Condition and filter expressions, operators, and functions" and "Update expressions".
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lab.attribute_values import COMPARISONS, Item, Value, holds, invalid, total
from lab.errors import AwsError
from lab.reserved_words import RESERVED

Condition = Callable[[Item], bool]
Operand = Callable[[Item], Value | None]

FUNCTIONS = ("attribute_exists", "attribute_not_exists")
_TOKEN = re.compile(r"\s*(#\w+|:\w+|[A-Za-z]\w*|<>|<=|>=|\S)")


@dataclass
class Placeholders:
    """The request's ExpressionAttributeNames and ExpressionAttributeValues; every one must be used."""

    names: Mapping[str, str]
    values: Mapping[str, Value]
    used: set[str] = field(default_factory=set)

    def check_used(self) -> None:
        for kind, given in (("Names", self.names), ("Values", self.values)):
            unused = [each for each in given if each not in self.used]
            if unused:
                raise invalid(
                    f"Value provided in ExpressionAttribute{kind} unused in expressions: keys: {{{', '.join(unused)}}}"
                )


@dataclass(frozen=True)
class Update:
    """What an update expression does: attributes to set, and names to remove."""

    sets: Mapping[str, Operand]
    removes: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        return (*self.sets, *self.removes)

    def apply(self, item: Item) -> Item:
        """A changed copy: every operand is taken from the item as it was. Raises AwsError."""
        changed = {name: self._value(operand, item) for name, operand in self.sets.items()}
        kept = {name: value for name, value in item.items() if name not in self.removes}
        return kept | changed

    def _value(self, operand: Operand, item: Item) -> Value:
        value = operand(item)
        if value is None:
            raise invalid("The provided expression refers to an attribute that does not exist in the item")
        return value


def condition(text: str, placeholders: Placeholders) -> Condition:
    """Raises AwsError for what DynamoDB does not take."""
    parser = _Parser("ConditionExpression", text, placeholders)
    parsed = parser.any_of()
    parser.end()
    return parsed


def update(text: str, placeholders: Placeholders) -> Update:
    """Raises AwsError for what DynamoDB does not take."""
    parser = _Parser("UpdateExpression", text, placeholders)
    sets: dict[str, Operand] = {}
    removes: list[str] = []
    seen: set[str] = set()
    while not parser.at_end():
        section = parser.keyword("SET", "REMOVE")
        if section in seen:
            raise parser.invalid(f'The "{section}" section can only be used once in an update expression;')
        seen.add(section)
        if section == "SET":
            sets |= dict(parser.listed(parser.assignment))
        else:
            removes += parser.listed(parser.path)
    return Update(sets, tuple(removes))


class _Parser:
    """Recursive descent over the tokens, loosest operator first."""

    def __init__(self, kind: str, text: str, placeholders: Placeholders) -> None:
        self._kind = kind
        self._tokens: list[str] = [*_TOKEN.findall(text), "<EOF>"]
        self._at = 0
        self._placeholders = placeholders
        if len(self._tokens) == 1:
            raise self.invalid("The expression can not be empty;")

    def any_of(self) -> Condition:
        parts = [self._all_of()]
        while self._skip("OR"):
            parts.append(self._all_of())
        return lambda item: any(part(item) for part in parts)

    def _all_of(self) -> Condition:
        parts = [self._negation()]
        while self._skip("AND"):
            parts.append(self._negation())
        return lambda item: all(part(item) for part in parts)

    def _negation(self) -> Condition:
        if self._skip("NOT"):
            negated = self._negation()
            return lambda item: not negated(item)
        if self._skip("("):
            inner = self.any_of()
            self._expect(")")
            return inner
        return self._existence() if self._token in FUNCTIONS else self._comparison()

    def _existence(self) -> Condition:
        wanted = self._next() == "attribute_exists"
        self._expect("(")
        name = self.path()
        self._expect(")")
        return lambda item: (name in item) == wanted

    def _comparison(self) -> Condition:
        left = self._operand()
        if self._skip("BETWEEN"):
            low = self._operand()
            self._expect("AND")
            high = self._operand()
            return lambda item: holds(left(item), ">=", low(item)) and holds(left(item), "<=", high(item))
        operator = self._token
        if operator not in COMPARISONS:
            raise self._syntax_error()
        self._next()
        right = self._operand()
        return lambda item: holds(left(item), operator, right(item))

    def assignment(self) -> tuple[str, Operand]:
        name = self.path()
        self._expect("=")
        value = self._set_operand()
        if self._token in {"+", "-"}:
            sign = 1 if self._next() == "+" else -1
            first, second = value, self._set_operand()
            return name, lambda item: total(first(item), sign, second(item))
        return name, value

    def _set_operand(self) -> Operand:
        if not self._skip("IF_NOT_EXISTS"):
            return self._operand()
        self._expect("(")
        name = self.path()
        self._expect(",")
        otherwise = self._operand()
        self._expect(")")
        return lambda item: item.get(name) or otherwise(item)

    def _operand(self) -> Operand:
        if self._token.startswith(":"):
            value = self._placeholder(self._placeholders.values, "value used in expression", "value")
            return lambda _item: value
        name = self.path()
        return lambda item: item.get(name)

    def path(self) -> str:
        """An attribute's name, plain or behind a #placeholder."""
        token = self._token
        if token.startswith("#"):
            return str(self._placeholder(self._placeholders.names, "name used in the document path", "name"))
        if not token[0].isalpha():
            raise self._syntax_error()
        if token.upper() in RESERVED:
            raise self.invalid(f"Attribute name is a reserved keyword; reserved keyword: {token}")
        return self._next()

    def listed(self, read: Callable[[], Any]) -> list[Any]:
        items = [read()]
        while self._skip(","):
            items.append(read())
        return items

    def keyword(self, *allowed: str) -> str:
        if self._token.upper() not in allowed:
            raise self._syntax_error()
        return self._next().upper()

    def at_end(self) -> bool:
        return self._token == "<EOF>"  # noqa: S105 - a mark and no secret

    def end(self) -> None:
        if not self.at_end():
            raise self._syntax_error()

    def invalid(self, problem: str) -> AwsError:
        return invalid(f"Invalid {self._kind}: {problem}")

    @property
    def _token(self) -> str:
        return self._tokens[self._at]

    def _next(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]

    def _skip(self, token: str) -> bool:
        found = self._token.upper() == token
        self._at += found
        return found

    def _expect(self, token: str) -> None:
        if not self._skip(token):
            raise self._syntax_error()

    def _placeholder(self, given: Mapping[str, Any], what: str, kind: str) -> Any:
        token = self._next()
        if token not in given:
            raise self.invalid(f"An expression attribute {what} is not defined; attribute {kind}: {token}")
        self._placeholders.used.add(token)
        return given[token]

    def _syntax_error(self) -> AwsError:
        near = " ".join(each for each in self._tokens[max(0, self._at - 1) : self._at + 2] if each != "<EOF>")
        return self.invalid(f'Syntax error; token: "{self._token}", near: "{near}"')
