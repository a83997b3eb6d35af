"""`python -m stack run | demo | incident`: what `make run`, `make demo` and `make incident` call."""

import argparse
import os
import sys
from pathlib import Path

from lab.scenario import NAMES
from stack.demo import demo
from stack.incident import incident
from stack.run import run
from stack.screen import Screen, wants_colour
from stack.settings import ROOT, SettingsError


def main() -> int:
    """Returns the exit status: 0 asked to end or ended well, 1 something failed, 2 usage or configuration."""
    arguments = _parser().parse_args()
    screen = Screen(sys.stdout.fileno(), colour=wants_colour(os.environ), verbose=arguments.verbose)
    try:
        return _begin(arguments, screen)
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the operator's line
        return 2


def _begin(arguments: argparse.Namespace, screen: Screen) -> int:
    if arguments.command == "run":
        return run(arguments.var.resolve(), screen)
    if arguments.command == "demo":
        return demo(ROOT / "build" / "demo", screen)
    return incident(arguments.scenario, ROOT / "build", screen)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m stack",
        description="Start the parts of the product together; Ctrl-C, or a part that dies, ends all of them.",
        epilog="PORT is where the panel listens: default 8000, else the next free one.",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="show every line that the parts write")
    commands = parser.add_subparsers(dest="command", required=True, metavar="run | demo | incident")
    run_parser = commands.add_parser("run", help="the panel without the lab, configured by the environment")
    run_parser.add_argument("--var", type=Path, default=ROOT / "var", metavar="DIR", help="where it keeps its data")
    commands.add_parser("demo", help="lab and panel with three applications under live traffic; fresh in build/demo/")
    incident_parser = commands.add_parser("incident", help="one whole incident without a browser; build/incident.json")
    incident_parser.add_argument("scenario", nargs="?", default="surge", help=f"one of: {', '.join(NAMES)}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
