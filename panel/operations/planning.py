"""The plan that a person approved, and whether it is still what would happen."""

from __future__ import annotations

from dataclasses import replace

from failover.model import Request, Snapshot
from failover.plan import digest
from panel.fleet import snapshots
from panel.fleet.applications import configuration
from panel.fleet.models import Application
from panel.operations.answers import Refused


def require_unchanged(application: Application, request: Request, approved: str) -> None:
    """Raises Refused where the newest snapshot no longer leads to the plan whose digest was approved."""
    snapshot = snapshots.latest(application)
    if snapshot is None or approved not in _digests(application, request, snapshot):
        raise Refused(
            "plan_changed",
            f"What AWS shows of {application.slug} is no longer what this plan was made from.",
            "Look at the plan as it is now, and confirm that.",
        )


def _digests(application: Application, request: Request, snapshot: Snapshot) -> frozenset[str]:
    """A page shows the plan of set_weights before anybody has typed the weights: that one was approved as well."""
    wanted = configuration(application)
    return frozenset(digest(wanted, each, snapshot) for each in (request, replace(request, split=None)))
