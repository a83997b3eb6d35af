"""Applications: imported from their TOML, and read back as the controller's configuration."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

import failover.model
from failover import config
from panel import audit
from panel.accounts.models import Team, default_team
from panel.audit import Action
from panel.drills import cron
from panel.fleet.models import AlarmName, Application, OwnedResource

Document = dict[str, Any]


class ImportRefused(Exception):  # noqa: N818 - an answer, not an error
    """The document is sound but can't be taken, because of a team, an owner or what is there. A sentence says which."""


@dataclass(frozen=True)
class Difference:
    """A key with what it was and what it becomes, as text."""

    key: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"{self.key}: {self.before} → {self.after}"


@dataclass(frozen=True)
class Import:
    """What an import did, key by key."""

    application: Application
    created: bool
    differences: tuple[Difference, ...]

    @property
    def changes(self) -> tuple[str, ...]:
        """One line per changed key; none of a new application, of which everything is new."""
        return () if self.created else tuple(map(str, self.differences))


def configuration(application: Application) -> failover.model.Application:
    """The application as the controller takes it."""
    return parsed(application.document, application.slug)


def parsed(document: Document, source: str) -> failover.model.Application:
    """`config.parse`, remembered by the document's content. Raises config.ConfigError."""
    return _parsed(json.dumps(document, sort_keys=True), source)


@lru_cache(maxsize=10_000)  # a sweep goes through all: what it does not hold would be parsed every few seconds
def _parsed(document: str, source: str) -> failover.model.Application:
    return config.parse(json.loads(document), source)


def import_document(document: Document, source: str) -> Import:
    """Create or update the application that `document` describes, all or nothing.

    The external id is its team's, and written into the document where a role is assumed. The mode changes only where
    the document's own mode changed: an operator's choice in the panel outlives an import. Raises config.ConfigError for
    an unsound document, and ImportRefused where it can't be taken as things are.
    """
    wanted = config.parse(document, source)
    unsound = cron.problems(wanted.drills, source, timezone.now())
    if unsound:
        raise config.ConfigError(unsound)
    with transaction.atomic():
        team = _team(wanted, source)
        application = Application.every.select_for_update().filter(slug=wanted.slug).first()
        if application and application.retired_at:
            raise ImportRefused(
                f"{source}: the application {wanted.slug} is retired. Bring it back before you change it."
            )
        known = application.document if application else {}
        document = _with_external_id(document, wanted, team, application, source)
        differences = tuple(_differences(known, document))
        created = application is None
        application = application or Application(slug=wanted.slug, mode=wanted.mode)
        if differences:
            application.team = team
            _write(application, document, wanted, source)
            _record(wanted.slug, known, document, source)
    return Import(application, created, differences)


def _team(wanted: failover.model.Application, source: str) -> Team:
    team = Team.objects.filter(slug=wanted.team).first() if wanted.team else default_team()
    if team is None:
        known = ", ".join(Team.objects.values_list("slug", flat=True))
        raise ImportRefused(
            f"{source}: there is no team {wanted.team!r} (application.team); there are: {known or 'none'}. "
            f"Make it with manage.py create_team {wanted.team}, or correct the file."
        )
    return team


def foreseen(document: Document, source: str) -> Import:
    """What `import_document` would do; nothing is kept of it. Raises as it does."""
    with transaction.atomic():
        result = import_document(document, source)
        transaction.set_rollback(True)
    return result


def move(application: Application, team: Team, source: str) -> Import:
    """Give it another owner, and with it that one's external id. Raises ImportRefused."""
    document = copy.deepcopy(application.document)
    document["application"].pop("external_id", None)
    document["application"]["team"] = team.slug
    return import_document(document, source)


def without_external_id(application: Application) -> Document:
    """The document as whoever wrote it needs it: another panel's teams have other external ids."""
    document: Document = copy.deepcopy(application.document)
    if document["application"].get("external_id") == application.team.external_id:
        del document["application"]["external_id"]
    return document


def completed(document: Document, team: Team) -> Document:
    """As it is kept once `team` owns it: with the external id that its role is assumed with."""
    return _with_external_id(document, config.parse(document, ""), team, None, "")


def _with_external_id(
    document: Document, wanted: failover.model.Application, team: Team, known: Application | None, source: str
) -> Document:
    """With the team's external id. Another one would have the panel act in whatever account trusts that one: only one
    that was there before teams had theirs stays.
    """
    before = known.document["application"].get("external_id", "") if known and known.team_id == team.pk else ""
    if wanted.external_id not in ("", team.external_id, before):
        raise ImportRefused(
            f"{source}: application.external_id is {wanted.external_id!r}, but the panel shows AWS the external id of "
            f"the team {team.slug}, {team.external_id!r}. Leave the key out, and demand that one in the role's trust "
            f"policy."
        )
    filled = copy.deepcopy(document)
    if wanted.external_id in ("", team.external_id):
        filled["application"].pop("external_id", None)
        if wanted.role_arn:
            filled["application"]["external_id"] = team.external_id
    return filled


def _write(application: Application, document: Document, wanted: failover.model.Application, source: str) -> None:
    if application.document and application.document.get("application", {}).get("mode", "auto") != wanted.mode:
        application.mode = wanted.mode
    application.name, application.region = wanted.name, wanted.region
    application.account = wanted.account
    application.document = document
    application.save()
    own(application, wanted, source)


def own(application: Application, wanted: failover.model.Application, source: str) -> None:
    """Have it listen to its alarms and own its resources, and no others. Raises ImportRefused."""
    disown(application)
    _own(application, _resources(wanted, application.account), source)
    names = dict.fromkeys(wanted.alarms + wanted.prewarm_alarms)
    AlarmName.objects.bulk_create(AlarmName(application=application, name=name) for name in names)


def disown(application: Application) -> None:
    OwnedResource.objects.filter(application=application).delete()
    AlarmName.objects.filter(application=application).delete()


def service_name(account: str, region: str, cluster: str, service: str) -> str:
    """The name under which an ECS service is owned. `cluster` may be a name or an ARN."""
    return f"{account}:{region}:{cluster.rsplit('/', 1)[-1]}/{service}"


def _resources(wanted: failover.model.Application, account: str) -> list[tuple[str, str]]:
    kinds = OwnedResource.Kind
    return [
        *((kinds.ROUTE, route.arn) for route in wanted.routes),
        (kinds.TARGET_GROUP, wanted.lambda_target_group_arn),
        (kinds.TARGET_GROUP, wanted.ecs_target_group_arn),
        (kinds.SERVICE, service_name(account, wanted.region, wanted.cluster, wanted.service)),
    ]


def _own(application: Application, resources: list[tuple[str, str]], source: str) -> None:
    for kind, name in resources:
        try:
            with transaction.atomic():
                OwnedResource.objects.create(application=application, kind=kind, name=name)
        except IntegrityError:
            owner = OwnedResource.objects.select_related("application").get(kind=kind, name=name).application
            raise ImportRefused(
                f"{source}: the {kind} {name} belongs to the application {owner.slug}; two applications may not share "
                f"one. Give {application.slug} its own, or change {owner.slug} first."
            ) from None


def _differences(known: Document, document: Document) -> list[Difference]:
    before, after = _flat(known), _flat(document)
    keys = [*after, *(key for key in before if key not in after)]
    return [
        Difference(key, _shown(before.get(key)), _shown(after.get(key)))
        for key in keys
        if before.get(key) != after.get(key)
    ]


def _record(slug: str, known: Document, document: Document, source: str) -> None:
    """The keys that differ, as they were and as they are."""
    before, after = _flat(known), _flat(document)
    audit.record(
        Action.APPLICATION_IMPORT,
        application=slug,
        subject=source,
        before={key: value for key, value in before.items() if value != after.get(key)},
        after={key: value for key, value in after.items() if value != before.get(key)},
    )


def _flat(table: Document, prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in table.items():
        name = f"{prefix}{key}"
        flat.update(_flat(value, f"{name}.") if isinstance(value, dict) else {name: value})
    return flat


def _shown(value: Any) -> str:
    return "default" if value is None else json.dumps(value, ensure_ascii=False)
