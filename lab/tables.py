"""Reads TOML into dataclasses, and says which key is wrong and what is allowed."""

import types
from dataclasses import MISSING, fields
from typing import Any, get_args, get_origin, get_type_hints


class WrongKeyError(Exception):
    """Says which key is wrong and what is allowed; whoever loads it adds the file."""


def read(kind: Any, value: Any, key: str) -> Any:
    """Reads one TOML value as ``kind``: a table's dataclass, a scalar, a tuple or a mapping of these.

    A dataclass may have ``problems()``, sentences about values that do not fit. Raises WrongKeyError.
    """
    if hasattr(kind, "__dataclass_fields__"):
        return _read_table(kind, value, key)
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is types.UnionType:
        return read(arguments[0], value, key)
    if origin is tuple:
        return tuple(read(arguments[0], each, f"{key}[{i}]") for i, each in enumerate(_expect(list, value, key)))
    if origin is not None:
        return {k: read(arguments[1], each, f"{key}.{k}") for k, each in _expect(dict, value, key).items()}
    if kind is float:
        return float(_at_least_zero(_expect(float, value, key), key))
    return _at_least_zero(_expect(kind, value, key), key) if kind is int else _expect(kind, value, key)


def _read_table(kind: Any, value: Any, key: str) -> Any:
    table = _expect(dict, value, key)
    hints = get_type_hints(kind)
    known = {each.name.rstrip("_"): each for each in fields(kind)}
    prefix = f"{key}." if key else ""
    for name in table:
        if name not in known:
            raise WrongKeyError(f"{prefix}{name}: unknown key; allowed are {', '.join(known)}")
    for name, each in known.items():
        if each.default is MISSING and each.default_factory is MISSING and name not in table:
            raise WrongKeyError(f"{prefix}{name}: this key is missing")
    built = kind(**{known[name].name: read(hints[known[name].name], v, prefix + name) for name, v in table.items()})
    for problem in built.problems() if hasattr(built, "problems") else []:
        raise WrongKeyError(prefix + problem)
    return built


def _expect(kind: type, value: Any, key: str) -> Any:
    allowed = (int, float) if kind is float else kind
    if isinstance(value, allowed) and not (isinstance(value, bool) and kind is not bool):
        return value
    names = {dict: "a table", list: "a list", str: "a text", bool: "true or false", int: "a whole number"}
    raise WrongKeyError(f"{key or 'the file'}: {value!r} is not {names.get(kind, 'a number')}")


def _at_least_zero(value: float, key: str) -> float:
    if value < 0:
        raise WrongKeyError(f"{key}: {value!r} is negative; 0 or more is allowed")
    return value


def one_of(key: str, value: object, allowed: Any) -> list[str]:
    """For ``problems()``: a sentence unless the value is one of those allowed."""
    if value in allowed:
        return []
    shown = f"{allowed[0]} to {allowed[-1]}" if len(allowed) > 8 else ", ".join(map(str, allowed))
    return [f"{key}: {value!r} is not allowed; allowed are {shown}"]
