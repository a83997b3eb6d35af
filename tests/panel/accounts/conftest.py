from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache


@pytest.fixture(autouse=True)
def fresh_limits() -> None:
    """Attempts are counted in the cache: each test begins at none."""
    cache.clear()


@pytest.fixture
def operator(db: None, settings: Any) -> User:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # the real one is slow on purpose
    return User.objects.create_user("ada", password="correct-horse-battery")
