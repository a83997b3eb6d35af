"""What an application remembers, changed while nobody else can: several tasks change it, and none may undo another."""

from __future__ import annotations

from collections.abc import Callable

from failover.codec import decode, encode
from failover.model import Memory
from panel.fleet.models import Application


def change_memory(application_id: int, change: Callable[[Memory], Memory]) -> Application:
    """Answers with the application's row as it is now. Call it in a transaction: the row stays locked to its end."""
    row = Application.objects.select_for_update().get(pk=application_id)
    row.memory = encode(change(decode(Memory, row.memory)))
    row.save(update_fields=["memory"])
    return row
