"""Credentials of a role that is assumed for an application, renewed before they end.

botocore renews credentials that have less than 15 minutes left in passing and, with less than 10, before anything else;
a role that was assumed by a role lasts an hour at most. Source: IAM user guide, "Role chaining" and "The confused
deputy problem" (external ids); STS API reference, AssumeRole (RoleSessionName: 2 to 64 of A-Z a-z 0-9 and =,.@-_).
"""

from __future__ import annotations

from functools import partial
from typing import Any

from botocore.config import Config
from botocore.credentials import (
    AssumeRoleCredentialFetcher,
    CredentialProvider,
    Credentials,
    DeferredRefreshableCredentials,
)
from botocore.exceptions import NoCredentialsError
from botocore.session import Session, get_session

from failover.aws.errors import FAILURES, translate
from failover.model import Application
from failover.ports import AwsError

ACTION = "sts:AssumeRole"
MOST_SESSION_NAME = 64


def session_for(application: Application, config: Config) -> Session:
    """A session with the environment's own credentials, or with the application's role."""
    core = get_session()
    if not application.role_arn:
        return core
    assumed = get_session()
    assumed.get_component("credential_provider").insert_before("env", _AssumedRole(application, core, config))
    return assumed


def session_name(application: Application) -> str:
    """What CloudTrail shows beside the role."""
    return f"failover-{application.slug}"[:MOST_SESSION_NAME]


class _AssumedRole(CredentialProvider):
    METHOD = "application-role"

    def __init__(self, application: Application, source: Session, config: Config) -> None:
        super().__init__()
        self._application = application
        self._source = source
        self._config = config

    def load(self) -> DeferredRefreshableCredentials:
        return DeferredRefreshableCredentials(method="assume-role", refresh_using=self._fetch)

    def _fetch(self) -> Any:
        """Raises AwsError: whatever the call was, it was not made."""
        try:
            return self._fetcher(self._own()).fetch_credentials()
        except FAILURES as error:
            raise self._refused(translate(error, ACTION, self._application.role_arn)) from error

    def _own(self) -> Credentials:
        own = self._source.get_credentials()
        if own is None:
            raise NoCredentialsError
        return own

    def _fetcher(self, own: Credentials) -> AssumeRoleCredentialFetcher:
        application = self._application
        extra = {"RoleSessionName": session_name(application)}
        if application.external_id:
            extra["ExternalId"] = application.external_id
        return AssumeRoleCredentialFetcher(
            client_creator=partial(self._source.create_client, region_name=application.region, config=self._config),
            source_credentials=own,
            role_arn=application.role_arn,
            extra_args=extra,
        )

    def _refused(self, error: AwsError) -> AwsError:
        kind = "unreachable" if error.kind == "unanswered" else error.kind
        remedy = f"{error.remedy} {self._trust()}" if kind == "denied" else error.remedy
        return AwsError(kind, f"{self._application.role_arn} can't be assumed: {error}", remedy)

    def _trust(self) -> str:
        """Who is let in is the role's own trust policy to say, too."""
        role, external_id = self._application.role_arn, self._application.external_id
        if external_id:
            return f"The trust policy of {role} must name it, with sts:ExternalId = {external_id!r}."
        return f"The trust policy of {role} must name it; application.external_id is empty, so it may ask for none."
