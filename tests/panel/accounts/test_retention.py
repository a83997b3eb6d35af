"""Sessions that have ended leave no rows behind."""

from datetime import timedelta

from allauth.usersessions.models import UserSession
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from panel.accounts.retention import KEPT
from panel.accounts.tasks import forget_sessions


def _signed_in(user: User) -> str:
    client = Client()
    client.force_login(user)
    key = client.cookies["sessionid"].value
    now = timezone.now()
    UserSession.objects.get_or_create(session_key=key, defaults={"user": user, "ip": "127.0.0.1", "last_seen_at": now})
    return key


def test_one_that_ended_goes_with_its_line_in_the_list(db: None) -> None:
    user = User.objects.create_user("ada")
    over, lasting = _signed_in(user), _signed_in(user)
    long_ago = timezone.now() - KEPT - timedelta(minutes=1)
    Session.objects.filter(session_key=over).update(expire_date=long_ago)
    UserSession.objects.filter(session_key=over).update(last_seen_at=long_ago)
    forget_sessions()
    assert list(Session.objects.values_list("session_key", flat=True)) == [lasting]
    assert list(UserSession.objects.values_list("session_key", flat=True)) == [lasting]


def test_one_that_was_signed_out_of_leaves_no_line_in_the_list(db: None) -> None:
    key = _signed_in(User.objects.create_user("ada"))
    Session.objects.all().delete()
    forget_sessions()
    assert UserSession.objects.filter(session_key=key).exists()  # for a day: it may be about to be stored
    UserSession.objects.update(last_seen_at=timezone.now() - KEPT - timedelta(minutes=1))
    forget_sessions()
    assert not UserSession.objects.exists()


def test_one_that_has_just_ended_is_kept_for_a_day(db: None) -> None:
    key = _signed_in(User.objects.create_user("ada"))
    Session.objects.update(expire_date=timezone.now() - timedelta(hours=1))
    forget_sessions()
    assert Session.objects.filter(session_key=key).exists()
