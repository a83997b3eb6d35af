"""Teams, which own applications, and the roles that people have in them."""

from __future__ import annotations

from secrets import token_urlsafe

from django.conf import settings
from django.db import models
from django.db.models import Q

DEFAULT = "default"  # the team of an application that names none


def new_external_id() -> str:
    return token_urlsafe(24)


class Team(models.Model):
    """`external_id` is what the team's roles in AWS must demand of whoever assumes them (IAM, "external ID")."""

    slug = models.SlugField(max_length=60, unique=True)
    name = models.CharField(max_length=120)
    external_id = models.CharField(max_length=64, unique=True, default=new_external_id)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("slug",)

    def __str__(self) -> str:
        return self.name


def default_team() -> Team:
    """The owner of an application that names no team."""
    return Team.objects.get_or_create(slug=DEFAULT, defaults={"name": "Default"})[0]


class Membership(models.Model):
    """A person's role in a team, or in every team where `team` is null: an admin of every team is the fleet's.

    One given by hand stays until somebody takes it away. Beside it may stand one `from_group`, which each single
    sign-on sets anew; the higher of the two counts.
    """

    class Role(models.TextChoices):
        VIEWER = "viewer"
        OPERATOR = "operator"
        ADMIN = "admin"

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    team = models.ForeignKey(Team, null=True, blank=True, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=8, choices=Role)
    from_group = models.BooleanField(default=False)

    class Meta:
        ordering = ("user__username", "from_group")
        constraints = (
            models.UniqueConstraint(fields=("user", "team", "from_group"), name="one_role_in_a_team"),
            models.UniqueConstraint(
                fields=("user", "from_group"), condition=Q(team=None), name="one_role_in_every_team"
            ),
        )

    def __str__(self) -> str:
        return f"{self.user}, {self.role} of {self.team or 'every team'}"
