"""`manage.py export_application SLUG`"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from panel.fleet.exporting import exported
from panel.fleet.models import Application


class Command(BaseCommand):
    help = "Print an application's configuration as TOML, as import_application takes it. It holds no secret."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("slug", metavar="SLUG")

    def handle(self, *, slug: str, **_options: Any) -> None:
        application = Application.every.select_related("team").filter(slug=slug).first()
        if application is None:
            known = ", ".join(Application.every.values_list("slug", flat=True))
            raise CommandError(f"There is no application {slug!r}; there are: {known or 'none'}.")
        self.stdout.write(exported(application), ending="")
