"""`manage.py export_operations [--application SLUG]`"""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from panel.operations.export import export


class Command(BaseCommand):
    help = "Print operations and their journals as a JSON list, newest first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--application", metavar="SLUG", default="")

    def handle(self, *, application: str, **_options: Any) -> None:
        self.stdout.write(json.dumps(export(application), indent=2, ensure_ascii=False))
