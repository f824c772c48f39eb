"""What each host may be sent at once: more with each answer, less after failures, a probe while it is down."""

from __future__ import annotations

from ringback.delivery.hosts import (
    AHEAD,
    AT_FIRST,
    FAILURES,
    FEWEST,
    LONGEST_PAUSE,
    MOST,
    SHORTEST_PAUSE,
    Hosts,
)


class Clock:
    """A clock that is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def begin(hosts: Hosts, host: str = "a") -> None:
    hosts.take(host)
    hosts.begin(host)


def attempt(hosts: Hosts, *, answered: bool) -> None:
    begin(hosts)
    hosts.end("a", answered=answered)


def at_once(hosts: Hosts) -> int:
    """How many may be sent now, at most."""
    count = 0
    hosts.take("a")
    while hosts.may_begin("a"):
        hosts.begin("a")
        hosts.take("a")
        count += 1
    return count


def test_an_unknown_host_is_sent_some_at_once_and_more_are_taken() -> None:
    hosts = Hosts(Clock())
    assert (hosts.room("a"), hosts.without_room()) == (AHEAD * AT_FIRST, [])
    assert at_once(hosts) == AT_FIRST
    while hosts.room("a"):
        hosts.take("a")
    assert (hosts.room("b"), hosts.without_room(), hosts.may_begin("a")) == (AHEAD * AT_FIRST, ["a"], False)


def test_what_is_given_back_makes_room() -> None:
    hosts = Hosts(Clock())
    hosts.take("a")
    hosts.give_back("a")
    assert hosts.room("a") == AHEAD * AT_FIRST


def test_a_host_that_answers_is_sent_more_up_to_the_most() -> None:
    hosts = Hosts(Clock())
    for _ in range(2 * MOST):
        attempt(hosts, answered=True)
    assert (hosts.room("a"), at_once(hosts)) == (AHEAD * MOST, MOST)


def test_a_failure_halves_it_down_to_the_fewest() -> None:
    hosts = Hosts(Clock())
    attempt(hosts, answered=False)
    assert hosts.room("a") == AHEAD * AT_FIRST // 2
    for _ in range(FAILURES - 2):
        attempt(hosts, answered=False)
    assert (hosts.room("a"), at_once(hosts)) == (AHEAD * FEWEST, FEWEST)


def test_a_host_that_is_down_is_probed_one_at_a_time_after_longer_and_longer_pauses() -> None:
    clock = Clock()
    hosts = Hosts(clock)
    for _ in range(FAILURES):
        attempt(hosts, answered=False)
    pause = SHORTEST_PAUSE
    for _ in range(10):
        clock.now += pause * 0.99
        assert (hosts.room("a"), hosts.may_begin("a"), hosts.pause("a") > 0, hosts.is_down("a")) == (
            0,
            False,
            True,
            True,
        )
        clock.now += pause * 0.01
        assert (hosts.room("a"), hosts.may_begin("a"), hosts.pause("a")) == (1, True, 0)
        attempt(hosts, answered=False)
        pause = min(2 * pause, LONGEST_PAUSE)
    clock.now += LONGEST_PAUSE
    begin(hosts)
    assert (hosts.room("a"), hosts.may_begin("a"), hosts.pause("a")) == (0, False, SHORTEST_PAUSE)
    hosts.end("a", answered=True)
    assert (hosts.room("a") > 1, hosts.pause("a"), hosts.is_down("a")) == (True, 0, False)


def test_many_that_fail_together_pause_a_host_once() -> None:
    hosts = Hosts(Clock())
    for _ in range(AT_FIRST):
        begin(hosts)
    for _ in range(AT_FIRST):
        hosts.end("a", answered=False)
    assert hosts.pause("a") == SHORTEST_PAUSE


def test_a_host_that_is_down_is_not_among_those_that_are_full() -> None:
    hosts = Hosts(Clock())
    for _ in range(FAILURES):
        attempt(hosts, answered=False)
    assert hosts.without_room() == []
