"""What every lease must keep, whatever it is kept in: `failover.leases`. Each implementation runs all of these.

DynamoDB developer guide, "Condition expressions": a conditional write either finds its condition true and takes effect
as a whole, or changes nothing. A single UPDATE with a WHERE clause does the same in a database.
"""

from abc import ABC, abstractmethod

from failover.leases import LEASE_SECONDS
from failover.rules import WRITE_SECONDS


class LeaseContract(ABC):
    """A handle is what `take` answered; None means that somebody else holds the lease."""

    @abstractmethod
    def take(self): ...

    @abstractmethod
    def store(self, handle, value: str) -> bool:
        """Keep something for the next holder; False when the lease was lost."""

    @abstractmethod
    def read(self, handle) -> str: ...

    @abstractmethod
    def give_back(self, handle) -> bool: ...

    @abstractmethod
    def left(self, handle) -> float: ...

    @abstractmethod
    def pass_time(self, seconds: float) -> None: ...

    def test_while_one_holds_it_nobody_else_does(self):
        assert self.take() is not None
        assert self.take() is None

    def test_one_that_was_given_back_is_free_at_once_with_what_its_holder_knew(self):
        first = self.take()
        assert self.store(first, "progress")
        assert self.give_back(first)
        second = self.take()
        assert self.read(second) == "progress"

    def test_one_that_was_not_given_back_is_free_a_lease_length_after_it_ran_out(self):
        self.take()
        self.pass_time(2 * LEASE_SECONDS - 0.5)
        assert self.take() is None
        self.pass_time(0.5)
        assert self.take() is not None

    def test_a_holder_has_never_more_left_than_was_stored(self):
        handle = self.take()
        assert self.left(handle) <= LEASE_SECONDS
        self.pass_time(5)
        assert self.left(handle) <= LEASE_SECONDS - 5
        self.pass_time(LEASE_SECONDS)
        assert self.left(handle) == 0

    def test_when_another_may_take_it_the_last_write_that_could_begin_is_long_over(self):
        handle = self.take()
        while self.left(handle) > WRITE_SECONDS:
            self.pass_time(1)
        self.pass_time(WRITE_SECONDS)
        assert self.take() is None, "the write has timed out by now"

    def test_whoever_lost_it_can_store_nothing(self):
        slow = self.take()
        self.pass_time(2 * LEASE_SECONDS)
        quick = self.take()
        assert not self.store(slow, "from the past")
        assert not self.give_back(slow)
        assert self.store(quick, "now")
        assert self.take() is None, "the loser did not give the winner's lease back"

    def test_whoever_lost_it_can_store_nothing_even_when_the_next_holder_is_done(self):
        slow = self.take()
        self.pass_time(2 * LEASE_SECONDS)
        quick = self.take()
        assert self.store(quick, "now")
        assert self.give_back(quick)
        assert not self.store(slow, "from the past")
        assert self.read(self.take()) == "now"

    def test_a_holder_that_ran_out_but_was_not_followed_still_stores_what_it_knows(self):
        slow = self.take()
        self.pass_time(LEASE_SECONDS + 1)
        assert self.left(slow) == 0
        assert self.store(slow, "late")
