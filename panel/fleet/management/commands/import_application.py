"""`manage.py import_application FILE.toml …`"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from failover import config
from panel import audit
from panel.fleet.applications import Document, Import, ImportRefused, foreseen, import_document


class Command(BaseCommand):
    help = "Create or update applications from their TOML files, and print what changed."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE.toml")
        parser.add_argument("--dry-run", action="store_true", help="say what would change, and change nothing")

    def handle(self, *, files: list[str], dry_run: bool, **_options: Any) -> None:
        problems = [
            problem for file in files if (problem := self._import(file, foreseen if dry_run else import_document))
        ]
        if problems:
            raise CommandError("\n".join(problems))

    def _import(self, file: str, take: Callable[[Document, str], Import]) -> str:
        """The file's problem, or nothing. Each file is taken as a whole or not at all; the others are taken anyway."""
        try:
            with audit.acting(audit.COMMAND_LINE):
                result = take(config.read(file), file)
        except (config.ConfigError, ImportRefused) as problem:
            return str(problem)
        self.stdout.write(_sentence(result))
        return ""


def _sentence(result: Import) -> str:
    if result.created:
        return f"{result.application}: created"
    return "\n  ".join([f"{result.application}: {'changed' if result.changes else 'unchanged'}", *result.changes])
