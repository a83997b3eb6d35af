import pytest

from api_service.settings import Settings, SettingsError, from_environ


def test_an_empty_environment_gives_the_defaults() -> None:
    assert from_environ({}) == Settings(15.0, 0.0, "server", "0.0.0.0", 8080)


def test_every_variable_is_read() -> None:
    environ = {
        "SLEEP_SECONDS": "5",
        "ROOT_DELAY_SECONDS": "0.5",
        "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001",
        "HOST": "127.0.0.1",
        "PORT": "0",
    }
    assert from_environ(environ) == Settings(5.0, 0.5, "lambda", "127.0.0.1", 0)


def test_an_empty_variable_counts_as_unset() -> None:
    names = ("SLEEP_SECONDS", "ROOT_DELAY_SECONDS", "AWS_LAMBDA_RUNTIME_API", "HOST", "PORT")
    assert from_environ(dict.fromkeys(names, "")) == Settings()


@pytest.mark.parametrize("name", ["SLEEP_SECONDS", "ROOT_DELAY_SECONDS"])
@pytest.mark.parametrize("text", ["soon", "-1", "nan", "inf", "5s"])
def test_a_delay_that_is_none_is_refused_by_name(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=rf"{name} is '{text}'.*number of seconds"):
        from_environ({name: text})


@pytest.mark.parametrize("text", ["http", "-1", "65536", "8080.5", "٣", "³"])
def test_a_port_that_is_none_is_refused_by_name(text: str) -> None:
    with pytest.raises(SettingsError, match=r"PORT is .*from 0 to 65535"):
        from_environ({"PORT": text})
