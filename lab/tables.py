"""TOML tables as dataclasses: an error names the key and what is allowed.

A dataclass may have a method ``problems()`` that answers with sentences of the form "KEY: what is wrong with it". A
field whose name is a word of Python's ends in an underscore, which the key does not have.
"""

import re
import tomllib
import types
from collections.abc import Iterable
from dataclasses import MISSING, fields
from math import inf
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints


class TableError(Exception):
    """A table cannot be used; the message is a sentence for whoever wrote it."""


def read_file(kind: Any, path: Path) -> Any:
    """The file's content as ``kind``, a dataclass. Raises TableError, which names the file."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise TableError(f"{path}: the file cannot be read: {error.strerror}.") from error
    except UnicodeDecodeError as error:
        raise TableError(f"{path}: not valid TOML: {error}.") from error
    return read_text(kind, text, str(path))


def read_text(kind: Any, text: str, name: str) -> Any:
    """The text as ``kind``; ``name`` says where it comes from. Raises TableError."""
    try:
        table = tomllib.loads(text)
    except ValueError as error:  # also a number of thousands of digits
        raise TableError(f"{name}: not valid TOML: {error}.") from error
    except RecursionError as error:
        raise TableError(f"{name}: the values are nested too deeply.") from error
    return read_table(kind, table, name)


def read_table(kind: Any, table: Any, name: str) -> Any:
    """A table that was parsed already, such as JSON's. Raises TableError."""
    try:
        return _read(kind, table, "")
    except _WrongKeyError as error:
        raise TableError(f"{name}: {error}.") from error


class _WrongKeyError(Exception):
    """Says which key is wrong and what is allowed; ``read_text`` adds the file."""


def _read(kind: Any, value: Any, key: str) -> Any:
    """Reads one TOML value as ``kind``: a table's dataclass, a scalar, a tuple or a mapping of these."""
    if hasattr(kind, "__dataclass_fields__"):
        return _read_table(kind, value, key)
    if kind is Any:
        return value
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is types.UnionType:
        return _read(arguments[0], value, key)
    if origin is tuple:
        return tuple(_read(arguments[0], each, f"{key}[{i}]") for i, each in enumerate(_expect(list, value, key)))
    if origin is not None:
        return {k: _read(arguments[1], each, f"{key}.{k}") for k, each in _expect(dict, value, key).items()}
    if kind is float:
        return _as_float(_at_least_zero(_expect(float, value, key), key), key)
    return _at_least_zero(_expect(kind, value, key), key) if kind is int else _expect(kind, value, key)


def _read_table(kind: Any, value: Any, key: str) -> Any:
    table = _expect(dict, value, key)
    hints = get_type_hints(kind)
    known = {each.name.rstrip("_"): each for each in fields(kind)}
    prefix = f"{key}." if key else ""
    for name in table:
        if name not in known:
            raise _WrongKeyError(f"{prefix}{name}: unknown key; allowed are {', '.join(known)}")
    for name, each in known.items():
        if each.default is MISSING and each.default_factory is MISSING and name not in table:
            raise _WrongKeyError(f"{prefix}{name}: this key is missing")
    read = kind(**{known[name].name: _read(hints[known[name].name], v, prefix + name) for name, v in table.items()})
    for problem in read.problems() if hasattr(read, "problems") else []:
        raise _WrongKeyError(prefix + problem)
    return read


def _expect(kind: type, value: Any, key: str) -> Any:
    allowed = (int, float) if kind is float else kind
    if isinstance(value, allowed) and not (isinstance(value, bool) and kind is not bool):
        return value
    names = {dict: "a table", list: "a list", str: "a text", bool: "true or false", int: "a whole number"}
    raise _WrongKeyError(f"{key or 'the file'}: {value!r} is not {names.get(kind, 'a number')}")


def _at_least_zero(value: float, key: str) -> float:
    if not value >= 0 or value == inf:
        raise _WrongKeyError(f"{key}: {value!r} is negative or without end; 0 or more is allowed")
    return value


def _as_float(value: float, key: str) -> float:
    try:
        return float(value)
    except OverflowError as error:
        raise _WrongKeyError(f"{key}: the number is too large") from error


def ranges(table: object, **allowed: tuple[float, float]) -> list[str]:
    """For ``problems()``: a sentence for each number that is not from the lowest to the highest allowed."""
    given = {key: getattr(table, key) for key in allowed}
    return [
        f"{key.rstrip('_')}: {given[key]!r} is not allowed; allowed are {lowest:.9g} to {highest:.9g}"
        for key, (lowest, highest) in allowed.items()
        if given[key] is not None and not lowest <= given[key] <= highest
    ]


def spelled(key: str, text: str, pattern: str, allowed: str) -> list[str]:
    """For ``problems()``: a sentence unless the text is of the pattern; ``allowed`` says it in words."""
    return [] if re.fullmatch(pattern, text) else [f"{key}: {text!r} is not allowed; allowed are {allowed}"]


def twice(named: Iterable[tuple[str, tuple[object, ...]]]) -> list[str]:
    """For ``problems()``: a sentence for each key whose name, and what else tells it apart, was there before."""
    seen: set[tuple[object, ...]] = set()
    found = []
    for key, name in named:
        if name in seen:
            found.append(f"{key}: {name[0]!r} is there twice")
        seen.add(name)
    return found


def one_of(key: str, value: object, allowed: Any) -> list[str]:
    """For ``problems()``: a sentence unless the value is one of those allowed."""
    if value in allowed:
        return []
    shown = f"{allowed[0]} to {allowed[-1]}" if len(allowed) > 8 else ", ".join(map(str, allowed))
    return [f"{key}: {value!r} is not allowed; allowed are {shown}"]
