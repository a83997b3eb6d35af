"""Accidents by name: what there are, with their parameters, and one that happens with values out of JSON or TOML."""

import inspect
import types
from collections.abc import Callable, Mapping
from typing import Any, Literal, get_args, get_origin

from lab.accidents import ACCIDENTS, AccidentError
from lab.world import World

KINDS = {int: "a whole number", str: "a text", bool: "true or false"}


def described() -> list[dict[str, Any]]:
    """Every accident out of its signature and docstring, for whoever offers them."""
    return [
        {
            "name": name,
            "title": name.replace("_", " ").capitalize(),
            "meaning": " ".join((inspect.getdoc(happen) or "").replace("``", "").split()),
            "parameters": [_described(each) for each in _parameters(happen).values()],
        }
        for name, happen in ACCIDENTS.items()
    ]


def perform(world: World, slug: str, now: float, name: str, given: Mapping[str, Any]) -> object:
    """Lets an accident happen; returns what it answers with. Raises AccidentError, also for values that do not fit."""
    if name not in ACCIDENTS:
        raise AccidentError(f"There is no accident {name!r}; there are {', '.join(ACCIDENTS)}.")
    happen = ACCIDENTS[name]
    parameters = _parameters(happen)
    for key in given:
        if key not in parameters:
            raise AccidentError(f"{name} takes no {key!r}; it takes {', '.join(parameters) or 'nothing'}.")
    for key, parameter in parameters.items():
        if key in given:
            _check(name, parameter, given[key])
        elif parameter.default is parameter.empty:
            raise AccidentError(f"{name} needs {key}: {_takes(parameter)}.")
    return happen(world, slug, now, **given)


def _parameters(happen: Callable[..., object]) -> dict[str, inspect.Parameter]:
    """Those beside the world, the application and the time."""
    parameters = inspect.signature(happen).parameters
    return {name: each for name, each in parameters.items() if each.kind is each.KEYWORD_ONLY}


def _described(parameter: inspect.Parameter) -> dict[str, Any]:
    kind, may_be_none = _kind(parameter)
    required = parameter.default is parameter.empty
    return {
        "name": parameter.name,
        "label": parameter.name.rstrip("_").replace("_", " "),
        "kind": "choice" if _choices(parameter) else {int: "number", str: "text", bool: "flag"}[kind],
        "choices": _choices(parameter),
        "required": required,
        "may_be_none": may_be_none,
        "default": None if required else parameter.default,
    }


def _check(name: str, parameter: inspect.Parameter, value: object) -> None:
    kind, may_be_none = _kind(parameter)
    if value is None and may_be_none:
        return
    choices = _choices(parameter)
    if type(value) is not kind or (choices and value not in choices):
        raise AccidentError(f"{name} takes {_takes(parameter)} for {parameter.name}, not {value!r}.")


def _takes(parameter: inspect.Parameter) -> str:
    kind, may_be_none = _kind(parameter)
    choices = _choices(parameter)
    words = f"one of {', '.join(map(repr, choices))}" if choices else KINDS[kind]
    return f"{words} or null" if may_be_none else words


def _choices(parameter: inspect.Parameter) -> tuple[str, ...]:
    return get_args(parameter.annotation) if get_origin(parameter.annotation) is Literal else ()


def _kind(parameter: inspect.Parameter) -> tuple[type, bool]:
    """The Python type of its values, and whether None is one too."""
    annotation = parameter.annotation
    if get_origin(annotation) is types.UnionType:
        return get_args(annotation)[0], True
    return (str if get_origin(annotation) is Literal else annotation), False
