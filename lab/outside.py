"""What the model reaches outside of itself."""

from dataclasses import dataclass

from lab.lambda_ import Environments
from lab.ports import Http
from lab.tasks import Addresses, Containers


@dataclass(frozen=True)
class Outside:
    """Real processes and sockets in the running lab, fakes in ``lab.virtual``."""

    containers: Containers
    environments: Environments
    http: Http
    addresses: Addresses
