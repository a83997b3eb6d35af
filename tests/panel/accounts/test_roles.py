from django.contrib.auth.models import AnonymousUser, User

from panel.accounts.roles import may_operate


def test_an_active_account_operates_and_nobody_else() -> None:
    assert may_operate(User(username="ada"))
    assert not may_operate(User(username="eve", is_active=False))
    assert not may_operate(AnonymousUser())
