"""An application's world as the command line meets it, with and without a lease table."""

import pytest

from failover import __main__ as command
from failover import breakglass
from failover.aws.lease import TableLease
from failover.codec import encode
from failover.config import load
from failover.model import Baseline, Goal, Memory, Progress, Request, Split
from failover.state import State
from tests.failover.aws.test_lease import Table
from tests.failover.test_config import GOOD
from tests.failover.world import LISTENER, World


@pytest.fixture
def world(monkeypatch, tmp_path):
    """A world with one route, whose time passes while the command sleeps."""
    found = World(splits={LISTENER: Split(100, 0)})
    found.pass_time(30)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command.aws, "connect", lambda _: found)
    monkeypatch.setattr(command.time, "time", lambda: found.now)
    monkeypatch.setattr(command.time, "sleep", found.pass_time)
    monkeypatch.setattr(breakglass.signal, "signal", lambda *_: None)
    (tmp_path / "checkout.toml").write_text(GOOD.replace("failover_count = 4", "settle_seconds = 1"))
    return found


@pytest.fixture
def table(world, monkeypatch, tmp_path):
    """The application with a lease table, in which a Lambda controller waits in the middle of a failover."""
    path = tmp_path / "checkout.toml"
    path.write_text(path.read_text().replace("[lambda]", 'lease_table = "leases"\n[lambda]'))
    found = Table()
    monkeypatch.setattr(command.aws, "lease_client", lambda _: found)
    waiting = Progress(phase="healthy", memory=Memory(Baseline(1)), wanted=2)
    state = State().begun(load(path), Request(Goal.FAILOVER, automatic=True), "alarm", waiting)
    lease = TableLease(found, "leases", "checkout", lambda: world.now)
    lease.claim()
    lease.state = encode(state)
    lease.release()
    return found
