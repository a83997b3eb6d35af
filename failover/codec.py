"""Frozen values to JSON and back, so that progress and snapshots outlive a process.

Keys that a newer version added are ignored when read, and keys that an older one did not write take their defaults:
an operation survives an upgrade in flight.
"""

from __future__ import annotations

from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import lru_cache
from math import isfinite
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")


def encode(value: object) -> Any:
    """Answer with dicts, lists, strings, numbers, booleans and None only."""
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value):
        return {f.name: encode(getattr(value, f.name)) for f in fields(value)}
    if isinstance(value, dict):
        return {str(key): encode(item) for key, item in value.items()}
    if isinstance(value, (tuple, list, frozenset)):
        if value and all(map(_is_point, value)):
            return list(map(list, value))
        return [encode(item) for item in value]
    return value


def decode(kind: type[T], data: Any) -> T:
    """Read what `encode` wrote for `kind`. Raises TypeError, KeyError or ValueError when it is something else."""
    result: T = _decode(kind, data)
    return result


def _decode(kind: Any, data: Any) -> Any:
    origin, args = get_origin(kind), get_args(kind)
    if kind is Any:
        return data
    if origin in (Union, UnionType):
        if data is None and NoneType in args:
            return None
        return _decode(next(arg for arg in args if arg is not NoneType), data)
    if origin is tuple:
        return _decode_tuple(args, _of((list, tuple), data, kind))
    if origin is frozenset:
        return frozenset(_decode(args[0], item) for item in _of((list, tuple, frozenset), data, kind))
    if origin is dict:
        return {_decode(args[0], key): _decode(args[1], item) for key, item in _of(dict, data, kind).items()}
    cls = origin or kind
    if is_dataclass(cls):
        return _decode_dataclass(kind, cls, _of(dict, data, kind))
    if issubclass(cls, Enum):
        return cls(data)
    return _decode_scalar(cls, data)


def _of(types: type | tuple[type, ...], data: Any, kind: Any) -> Any:
    if not isinstance(data, types):
        raise TypeError(f"{type(data).__name__} stands where {kind} is expected")
    return data


def _decode_scalar(kind: type, data: Any) -> Any:
    """A whole number is a float too, a truth value is no number, and nothing counts up to infinity."""
    found = _of((int, float) if kind is float else kind, data, kind)
    if isinstance(data, bool) and kind is not bool:
        raise TypeError(f"bool stands where {kind} is expected")
    if kind is float and not _is_finite(found):
        raise ValueError("a number is out of range")
    return found


def _is_finite(number: float) -> bool:
    try:
        return isfinite(number)
    except OverflowError:
        return False


_POINT = tuple[float, float]


def _is_point(item: Any) -> bool:
    """Time and value as they are stored nearly always: most of a snapshot is these, so they are looked at once."""
    return (
        type(item) in (list, tuple)
        and len(item) == 2
        and type(item[0]) is float
        and type(item[1]) is float
        and isfinite(item[0])
        and isfinite(item[1])
    )


def _decode_tuple(args: tuple[Any, ...], data: Any) -> tuple[Any, ...]:
    if len(args) == 2 and args[1] is Ellipsis:
        if args[0] == _POINT and all(map(_is_point, data)):
            return tuple(map(tuple, data))
        return tuple(_decode(args[0], item) for item in data)
    return tuple(_decode(arg, item) for arg, item in zip(args, data, strict=True))


def _decode_dataclass(kind: Any, cls: Any, data: dict[str, Any]) -> Any:
    values = {}
    for name, hint, required in _bound_fields(kind, cls):
        if name in data:
            values[name] = _decode(hint, data[name])
        elif required:
            raise KeyError(f"{cls.__name__}.{name} is missing")
    return cls(**values)


@lru_cache
def _bound_fields(kind: Any, cls: Any) -> tuple[tuple[str, Any, bool], ...]:
    """The fields with what stands for a generic class's parameters in `kind`."""
    parameters = dict(zip(getattr(cls, "__parameters__", ()), get_args(kind), strict=False))
    return tuple((name, _bind(hint, parameters), required) for name, hint, required in _fields(cls))


def _bind(hint: Any, parameters: dict[Any, Any]) -> Any:
    if hint in parameters:
        return parameters[hint]
    if get_origin(hint) in (Union, UnionType) and parameters:
        return Union[tuple(_bind(arg, parameters) for arg in get_args(hint))]  # noqa: UP007 - built at run time
    return hint


@lru_cache
def _fields(cls: Any) -> tuple[tuple[str, Any, bool], ...]:
    hints = get_type_hints(cls)
    return tuple((f.name, hints[f.name], f.default is MISSING and f.default_factory is MISSING) for f in fields(cls))
