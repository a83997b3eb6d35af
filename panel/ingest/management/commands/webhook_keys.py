"""`manage.py webhook_keys`"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand

from panel.ingest.models import WebhookKey

COLUMNS = ("NAME", "CREATED", "LAST USED", "REVOKED")


class Command(BaseCommand):
    help = "List the webhook keys: when each was made, last used and revoked, in UTC. Their secrets are not kept."

    def handle(self, **_options: Any) -> None:
        keys = WebhookKey.objects.order_by("created_at")
        rows = [(key.name, _day(key.created_at), _day(key.last_used_at), _day(key.revoked_at)) for key in keys]
        widths = [max(map(len, column)) for column in zip(COLUMNS, *rows, strict=True)]
        for row in (COLUMNS, *rows):
            self.stdout.write("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())


def _day(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "-"
