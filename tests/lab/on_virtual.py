"""Unmodified boto3 against a lab in virtual time: what it would send is answered without a socket."""

from urllib.parse import parse_qsl, urlsplit

import boto3
import botocore.loaders
import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from lab import api
from lab.calls import Calls
from lab.wire.dispatch import Endpoint
from lab.wire.messages import Request

CONFIG = Config(retries={"total_max_attempts": 1})
URL = "http://lab.invalid"
LOADER = botocore.loaders.create_loader()  # one for all clients: reading service models is what takes time


class Body:
    """What botocore reads an answer from."""

    def __init__(self, content):
        self._content = content

    def stream(self, *_arguments, **_options):
        yield self._content


class Wire:
    """The endpoint of a virtual lab; ``delay`` is what the last answer would have been late, in seconds."""

    def __init__(self, virtual):
        self._virtual = virtual
        self.endpoint = Endpoint(Calls(virtual.cloud), api.answered(), virtual.faults)
        self.delay = 0.0

    def client(self, service, key="lab", token=None, region="eu-west-1", **options):
        core = botocore.session.get_session()
        core.register_component("data_loader", LOADER)
        session = boto3.Session(key, "secret", token, region_name=region, botocore_session=core)
        client = session.client(service, endpoint_url=URL, config=CONFIG.merge(Config(**options)))
        client.meta.events.register("before-send", self._answer)
        return client

    def as_session(self, service, credentials, region="eu-west-1"):
        """A client with what AssumeRole gave out."""
        return self.client(service, credentials["AccessKeyId"], credentials["SessionToken"], region)

    def _answer(self, request, **_options):
        outcome = self.endpoint.answer(_received(request), self._virtual.now)
        self.delay = outcome.delay
        if outcome.without_reply == "silent":
            raise ReadTimeoutError(endpoint_url=request.url)
        if outcome.without_reply == "lost":
            raise ConnectionClosedError(endpoint_url=request.url)
        return AWSResponse(request.url, outcome.reply.status, outcome.reply.headers, Body(outcome.reply.body))


def _received(request):
    url = urlsplit(request.url)
    headers = {name.lower(): _text(value) for name, value in request.headers.items()}
    body = request.body or b""
    return Request(request.method, url.path, dict(parse_qsl(url.query)), headers, _bytes(body))


def _text(value):
    return value.decode() if isinstance(value, bytes) else value


def _bytes(value):
    return value.encode() if isinstance(value, str) else value
