"""API tokens: what a program shows instead of a password."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class ApiToken(models.Model):
    """Acts as `user`, an account of its own that nobody can log in to; its role is that account's membership.

    `addresses` are networks (CIDR) that it may be used from; empty for anywhere.
    """

    name = models.CharField(max_length=60, unique=True)
    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="api_token")
    digest = models.CharField(max_length=64, unique=True, help_text="HMAC-SHA256 of the secret under the panel's key")
    addresses = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("name",)

    def __str__(self) -> str:
        return self.name
