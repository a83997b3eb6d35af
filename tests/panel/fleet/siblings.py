"""More applications like the one that every test has."""

from typing import Any

from panel.fleet.applications import import_document
from panel.fleet.models import Application


def another(document: dict[str, Any], slug: str, region: str = "sa-east-1", **more: str) -> Application:
    """The same application again under other names."""
    document["application"] |= {"slug": slug, "region": region, **more}
    document["ecs"]["service"] = slug
    for table in ("lambda", "ecs"):
        document[table]["target_group_arn"] += slug
    document["routes"][0]["listener_arn"] += slug
    return import_document(document, f"{slug}.toml").application
