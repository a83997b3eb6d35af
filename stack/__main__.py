"""`python -m stack run | demo | incident`: what `make run`, `make demo` and `make incident` call."""

import argparse
import os
import sys
from pathlib import Path

from stack.run import run
from stack.screen import Screen, wants_colour
from stack.settings import ROOT, SettingsError


def main() -> int:
    """Returns the exit status: 0 asked to end or ended well, 1 something failed, 2 usage or configuration."""
    arguments = _parser().parse_args()
    screen = Screen(sys.stdout.fileno(), colour=wants_colour(os.environ), verbose=arguments.verbose)
    try:
        return run(ROOT / "var", screen)
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the operator's line
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stack", description="Start the parts of the product together.")
    return parser
