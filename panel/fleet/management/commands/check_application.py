"""`manage.py check_application SLUG`"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from failover import aws, text
from failover.config import ConfigError
from failover.preconditions import failed
from panel.fleet.applications import configuration
from panel.fleet.models import Application


class Command(BaseCommand):
    help = "Read AWS and print each precondition of an application with its remedy. Exit status 1 where one fails."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG")

    def handle(self, *, slug: str, **_options: Any) -> None:
        application = Application.every.filter(slug=slug).first()
        if application is None:
            known = ", ".join(Application.every.values_list("slug", flat=True))
            raise CommandError(f"There is no application {slug!r}; there are: {known or 'none'}.")
        try:
            checks = aws.checked(configuration(application))
        except ConfigError as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(text.checks(checks))
        if failed(checks):
            raise CommandError(f"{slug} can't be relied on to fail over and back: mend what is marked FAIL.")
