"""`manage.py create_webhook_key NAME`"""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from panel import audit
from panel.ingest import keys


class Command(BaseCommand):
    help = "Make a key for an EventBridge connection. Its secret is printed once and can't be read again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", metavar="NAME")

    def handle(self, *, name: str, **_options: Any) -> None:
        try:
            with audit.acting(audit.COMMAND_LINE):
                secret = keys.create(name)
        except keys.KeyNameError as problem:
            raise CommandError(str(problem)) from None
        self.stdout.write(secret)
