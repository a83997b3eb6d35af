"""Errors as AWS's services answer them."""


class AwsError(Exception):
    """A request that AWS refuses: ``code`` and ``status`` are what the client sees."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
