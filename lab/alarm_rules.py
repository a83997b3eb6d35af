"""Alarm rules of composite alarms: ``ALARM("a") AND NOT (OK("b") OR INSUFFICIENT_DATA(c))``.

Source: CloudWatch API Reference, PutCompositeAlarm (AlarmRule): AND binds tighter than OR, TRUE and FALSE are
constants, a name stands bare or in quotes and may be an ARN.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

STATES = ("ALARM", "OK", "INSUFFICIENT_DATA")

# Answers an alarm's state by its name or ARN.
StateOf = Callable[[str], str]

_TOKEN = re.compile(
    r"\s*(?:(?P<function>ALARM|OK|INSUFFICIENT_DATA)\s*\(\s*(?:\"(?P<double>[^\"]+)\"|'(?P<single>[^']+)'"
    r"|(?P<bare>[^()\s\"']+))\s*\)|(?P<word>AND|OR|NOT|TRUE|FALSE)\b|(?P<bracket>[()]))"
)


class AlarmRuleError(Exception):
    """The rule cannot be read; the message is a sentence that shows where."""


@dataclass(frozen=True)
class AlarmRule:
    """``names`` are the alarms that it asks for, in order."""

    text: str
    names: tuple[str, ...]
    holds: Callable[[StateOf], bool]


def parse(text: str) -> AlarmRule:
    """Raises AlarmRuleError."""
    reader = _Reader(text)
    holds = reader.either()
    if reader.tokens:
        raise AlarmRuleError(f"The alarm rule {text!r} has {reader.tokens[0]} where AND or OR must stand.")
    return AlarmRule(text, tuple(dict.fromkeys(reader.names)), holds)


class _Reader:
    def __init__(self, text: str) -> None:
        self.names: list[str] = []
        self.tokens = _tokens(text)
        self._text = text

    def either(self) -> Callable[[StateOf], bool]:
        parts = [self._both()]
        while self._take("OR"):
            parts.append(self._both())
        return lambda state_of: any(part(state_of) for part in parts)

    def _both(self) -> Callable[[StateOf], bool]:
        parts = [self._single()]
        while self._take("AND"):
            parts.append(self._single())
        return lambda state_of: all(part(state_of) for part in parts)

    def _single(self) -> Callable[[StateOf], bool]:
        if self._take("NOT"):
            part = self._single()
            return lambda state_of: not part(state_of)
        if self._take("("):
            inner = self.either()
            if not self._take(")"):
                raise AlarmRuleError(f"The alarm rule {self._text!r} has a bracket that is not closed.")
            return inner
        token = self.tokens.pop(0) if self.tokens else ("", "its end")
        if token in {("", "TRUE"), ("", "FALSE")}:
            return lambda _state_of: token[1] == "TRUE"
        state, name = token
        if state not in STATES:
            raise AlarmRuleError(
                f"The alarm rule {self._text!r} has {name} where one of {', '.join(STATES)}, TRUE or FALSE must stand."
            )
        self.names.append(name)
        return lambda state_of: state_of(name) == state

    def _take(self, word: str) -> bool:
        if self.tokens and self.tokens[0] == ("", word):
            self.tokens.pop(0)
            return True
        return False


def _tokens(text: str) -> list[tuple[str, str]]:
    """A state and an alarm's name, or "" and a word or bracket."""
    tokens, at = [], 0
    while at < len(text.rstrip()):
        found = _TOKEN.match(text, at)
        if found is None:
            raise AlarmRuleError(f"The alarm rule {text!r} cannot be read from {text[at:].strip()!r} on.")
        name = found["double"] or found["single"] or found["bare"] or found["word"] or found["bracket"]
        tokens.append((found["function"] or "", name))
        at = found.end()
    return tokens
