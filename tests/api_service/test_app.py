"""The routes, asked of the real process."""

from collections.abc import Callable

import pytest

from tests.api_service.conftest import Service

Serve = Callable[..., Service]


@pytest.mark.parametrize(
    ("path", "message"),
    [("/", "healthy"), ("/bang", "boom"), ("/pong", "ping"), ("/sleep", "awaken"), ("/env", "server")],
)
def test_each_route_answers(serve: Serve, path: str, message: str) -> None:
    assert serve(SLEEP_SECONDS="0").get(path) == (200, {"message": message})


def test_env_says_lambda_inside_a_lambda_runtime(serve: Serve) -> None:
    assert serve(AWS_LAMBDA_RUNTIME_API="127.0.0.1:9001").get("/env") == (200, {"message": "lambda"})


def test_an_unknown_path_is_404(serve: Serve) -> None:
    assert serve().get("/nowhere") == (404, {"message": "Not Found"})
