"""`manage.py retire_application SLUG --reason TEXT`, `manage.py retire_application SLUG --undo`"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from panel import audit
from panel.fleet import retiring
from panel.fleet.applications import ImportRefused
from panel.fleet.models import Application


class Command(BaseCommand):
    help = "Have an application not be looked at, shown or started any more. Its history stays; --undo brings it back."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG")
        parser.add_argument("--reason", default="", help="for whoever wonders later")
        parser.add_argument("--undo", action="store_true", help="bring a retired application back")

    def handle(self, *, slug: str, reason: str, undo: bool, **_options: Any) -> None:
        application = Application.every.filter(slug=slug).first()
        if application is None:
            raise CommandError(f"There is no application {slug!r}.")
        try:
            with audit.acting(audit.COMMAND_LINE):
                retiring.restore(application) if undo else retiring.retire(application, reason)
        except (retiring.NotNow, ImportRefused) as problem:
            raise CommandError(str(problem)) from None
        self.stderr.write(f"{slug} is back." if undo else f"{slug} is retired.")
