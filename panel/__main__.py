"""`python -m panel PART` becomes one of the panel's processes; `python -m panel healthy PART` asks how it does.

What an image starts. HOST and PORT are where web and live listen.
"""

from __future__ import annotations

import argparse
import http.client
import os
import sys
from collections.abc import Mapping
from typing import NoReturn

from panel import alive, commands, environment, queues
from panel.commands import Command

WEB, LIVE, BEAT = "web", "live", "beat"
WORKERS = {f"worker-{name}": name for name in queues.WORKERS}
PARTS = (WEB, LIVE, *WORKERS, BEAT)
PATIENCE_SECONDS = 3.0


def command(part: str, variables: Mapping[str, str]) -> Command:
    """The command line of one of `PARTS`. Raises SettingsError."""
    if part in WORKERS:
        return commands.worker(WORKERS[part])
    if part == BEAT:
        return commands.beat()
    serve = commands.web if part == WEB else commands.live
    return serve(variables.get("HOST") or "127.0.0.1", _port(variables))


def problem(part: str, variables: Mapping[str, str]) -> str:
    """Why this part, in this very container, does not do its work, as a sentence; "" where it does."""
    if part not in (WEB, LIVE):
        return alive.problem(environment.read(variables).alive_path)
    connection = http.client.HTTPConnection("127.0.0.1", _port(variables), timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", "/healthz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"/healthz does not answer: {error}."
    finally:
        connection.close()
    return "" if status == 200 else f"/healthz answers {status}."


def _port(variables: Mapping[str, str]) -> int:
    text = variables.get("PORT") or "8000"
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= 65535):
        raise environment.SettingsError(f"PORT is {text!r}; it takes a number from 1 to 65535.")
    return int(text)


def main() -> int:
    """Returns the exit status: 0 well, 1 not well, 2 usage or configuration. A part that starts takes our place."""
    arguments = _parser().parse_args()
    try:
        if arguments.command == "healthy":
            return _told(problem(arguments.part, os.environ), 1)
        environment.require_secret()
        _become(command(arguments.command, os.environ))
    except environment.SettingsError as error:
        return _told(str(error), 2)


def _become(argv: Command) -> NoReturn:
    """The process keeps its id, so that signals reach the part itself."""
    sys.stdout.flush()
    os.execv(argv[0], argv)  # noqa: S606 # nosec B606 # our own command line


def _told(sentence: str, status: int) -> int:
    if sentence:
        print(sentence, file=sys.stderr)  # noqa: T201 - the operator's line
    return status if sentence else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m panel", description="Start one part of the panel, or ask after it."
    )
    known = parser.add_subparsers(dest="command", required=True, metavar="PART | healthy PART")
    for part in PARTS:
        known.add_parser(part, help=f"start {part}; it takes the place of this process")
    healthy = known.add_parser("healthy", help="exit status 0 if that part works in this container")
    healthy.add_argument("part", choices=PARTS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
