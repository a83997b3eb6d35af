"""Frozen values to JSON and back, so that progress and snapshots outlive a process.

Keys that a newer version added are ignored when read, and keys that an older one did not write take their defaults:
an operation survives an upgrade in flight.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import MISSING, fields, is_dataclass
from enum import Enum
from functools import cache
from math import isfinite
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
Reader = Callable[[Any], Any]


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
    wanted: Any = kind
    result: T = _reader(wanted)(data)
    return result


@cache
def _reader(kind: Any) -> Reader:
    """What reads a `kind`. Types are looked at once, when they are first met: a page reads thousands of values."""
    origin, args = get_origin(kind), get_args(kind)
    if kind is Any:
        return _anything
    if origin in (Union, UnionType):
        inner = _reader(next(arg for arg in args if arg is not NoneType))
        return _optional(inner) if NoneType in args else inner
    if origin is tuple:
        return _series_reader(kind, args) if args[1:] == (Ellipsis,) else _tuple_reader(kind, args)
    if origin is frozenset:
        return _frozenset_reader(kind, _reader(args[0]))
    if origin is dict:
        return _dict_reader(kind, _reader(args[0]), _reader(args[1]))
    cls = origin or kind
    if is_dataclass(cls):
        return _dataclass_reader(kind, cls)
    return cls if issubclass(cls, Enum) else _scalar_reader(cls)


def _anything(data: Any) -> Any:
    return data


def _optional(inner: Reader) -> Reader:
    return lambda data: None if data is None else inner(data)


def _series_reader(kind: Any, args: tuple[Any, ...]) -> Reader:
    """Any number of the same."""
    inner, points = _reader(args[0]), args[0] == _POINT

    def read(data: Any) -> tuple[Any, ...]:
        items = _of((list, tuple), data, kind)
        return tuple(map(tuple, items)) if points and all(map(_is_point, items)) else tuple(map(inner, items))

    return read


def _tuple_reader(kind: Any, args: tuple[Any, ...]) -> Reader:
    readers = tuple(map(_reader, args))
    return lambda data: tuple(inner(item) for inner, item in zip(readers, _of((list, tuple), data, kind), strict=True))


def _frozenset_reader(kind: Any, inner: Reader) -> Reader:
    return lambda data: frozenset(map(inner, _of((list, tuple, frozenset), data, kind)))


def _dict_reader(kind: Any, key: Reader, value: Reader) -> Reader:
    return lambda data: {key(name): value(item) for name, item in _of(dict, data, kind).items()}


def _dataclass_reader(kind: Any, cls: Any) -> Reader:
    known = tuple((name, _reader(hint), required) for name, hint, required in _bound_fields(kind, cls))

    def read(data: Any) -> Any:
        given, values = _of(dict, data, kind), {}
        for name, inner, required in known:
            if name in given:
                values[name] = inner(given[name])
            elif required:
                raise KeyError(f"{cls.__name__}.{name} is missing")
        return cls(**values)

    return read


def _scalar_reader(kind: type) -> Reader:
    """A whole number is a float too, a truth value is no number, and nothing counts up to infinity."""
    accepted = (int, float) if kind is float else kind

    def read(data: Any) -> Any:
        found = _of(accepted, data, kind)
        if isinstance(data, bool) and kind is not bool:
            raise TypeError(f"bool stands where {kind} is expected")
        if kind is float and not _is_finite(found):
            raise ValueError("a number is out of range")
        return found

    return read


def _of(types: type | tuple[type, ...], data: Any, kind: Any) -> Any:
    if not isinstance(data, types):
        raise TypeError(f"{type(data).__name__} stands where {kind} is expected")
    return data


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


def _bound_fields(kind: Any, cls: Any) -> Iterator[tuple[str, Any, bool]]:
    """The fields with what stands for a generic class's parameters in `kind`."""
    hints, parameters = get_type_hints(cls), dict(zip(getattr(cls, "__parameters__", ()), get_args(kind), strict=False))
    for field in fields(cls):
        required = field.default is MISSING and field.default_factory is MISSING
        yield field.name, _bind(hints[field.name], parameters), required


def _bind(hint: Any, parameters: dict[Any, Any]) -> Any:
    if hint in parameters:
        return parameters[hint]
    if get_origin(hint) in (Union, UnionType) and parameters:
        return Union[tuple(_bind(arg, parameters) for arg in get_args(hint))]  # noqa: UP007 - built at run time
    return hint
