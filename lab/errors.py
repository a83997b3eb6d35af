"""Errors as AWS's services answer them."""

from collections.abc import Mapping
from typing import Any


class AwsError(Exception):
    """A request that AWS refuses: ``code`` and ``status`` are what the client sees, and ``members`` beside them."""

    members: Mapping[str, Any] = {}

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
