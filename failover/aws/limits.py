"""How much concurrency Lambda allows.

Source: Lambda API reference, GetFunctionConcurrency (one function a call; nothing where none is reserved) and
GetAccountSettings, AccountLimit.UnreservedConcurrentExecutions.
"""

from __future__ import annotations

from typing import Any

from failover.model import Limits


def read(functions: Any, function_name: str) -> Limits:
    return Limits(reserved(functions, function_name), unreserved(functions))


def reserved(functions: Any, function_name: str) -> int | None:
    """What is reserved for the function alone, None for nothing."""
    answer = functions.get_function_concurrency(FunctionName=function_name)
    count: int | None = answer.get("ReservedConcurrentExecutions")
    return count


def unreserved(functions: Any) -> int | None:
    """What the account's functions without a reservation share."""
    count: int | None = functions.get_account_settings()["AccountLimit"].get("UnreservedConcurrentExecutions")
    return count
