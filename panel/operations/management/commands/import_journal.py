"""`manage.py import_journal FILE.jsonl …`"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from failover.journal import JournalError
from panel.operations.importing import Import, ImportRefused, import_journal


class Command(BaseCommand):
    help = "Keep operations that `python -m failover` ran, from their journal files; each once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("files", nargs="+", type=Path, metavar="FILE.jsonl")

    def handle(self, *, files: list[Path], **_options: Any) -> None:
        problems = [problem for file in files if (problem := self._import(file))]
        if problems:
            raise CommandError("\n".join(problems))

    def _import(self, file: Path) -> str:
        """The file's problem, or nothing. Each file is taken as a whole or not at all; the others are taken anyway."""
        try:
            result = import_journal(file)
        except (JournalError, ImportRefused) as problem:
            return str(problem)
        self.stdout.write(_sentence(result))
        return ""


def _sentence(result: Import) -> str:
    operation = result.operation
    named = f"{operation.application}: {operation}, {operation.status}"
    if not result.created:
        return f"{named}: is here already"
    if result.newer:
        return f"{named}: imported; what it left is not remembered, since {result.newer} is newer"
    return f"{named}: imported"
