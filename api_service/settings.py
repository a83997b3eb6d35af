"""What the environment says about how this process answers and where it listens."""

import math
from collections.abc import Mapping
from dataclasses import dataclass


class SettingsError(ValueError):
    """A variable has a value that can't be used; the text is a sentence for the operator."""


@dataclass(frozen=True)
class Settings:
    """Delays are in seconds; `place` is what `/env` answers: `lambda` or `server`."""

    sleep_seconds: float = 15.0
    root_delay_seconds: float = 0.0
    place: str = "server"
    host: str = "0.0.0.0"  # noqa: S104 # nosec B104 # a task's port is reached from the load balancer; HOST narrows it
    port: int = 8080


def from_environ(environ: Mapping[str, str]) -> Settings:
    """Read the settings; an empty variable counts as unset.

    Raises SettingsError that names the variable.
    """
    return Settings(
        sleep_seconds=_seconds(environ, "SLEEP_SECONDS", Settings.sleep_seconds),
        root_delay_seconds=_seconds(environ, "ROOT_DELAY_SECONDS", Settings.root_delay_seconds),
        # Set by the Lambda runtime and nowhere else.
        place="lambda" if environ.get("AWS_LAMBDA_RUNTIME_API") else "server",
        host=environ.get("HOST") or Settings.host,
        port=_port(environ),
    )


def _seconds(environ: Mapping[str, str], name: str, default: float) -> float:
    text = environ.get(name) or str(default)
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise SettingsError(f"{name} is {text!r}: give a number of seconds, 0 or more.")
    return seconds


def _port(environ: Mapping[str, str]) -> int:
    text = environ.get("PORT") or str(Settings.port)
    if not (text.isascii() and text.isdecimal() and int(text) <= 65535):
        raise SettingsError(f"PORT is {text!r}: give a number from 0 to 65535 (0 takes any free port).")
    return int(text)
