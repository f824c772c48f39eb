"""What each host may be sent at once: more with each answer, less after failures, a probe while it is down."""

from __future__ import annotations

from ringback.delivery.hosts import (
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


def attempt(hosts: Hosts, *, answered: bool, host: str = "a") -> None:
    hosts.begin(host)
    hosts.end(host, answered=answered)


def test_an_unknown_host_is_sent_some_at_once() -> None:
    hosts = Hosts(Clock())
    assert (hosts.room("a"), hosts.without_room()) == (AT_FIRST, [])
    for _ in range(AT_FIRST):
        hosts.begin("a")
    assert (hosts.room("a"), hosts.room("b"), hosts.without_room()) == (0, AT_FIRST, ["a"])


def test_a_host_that_answers_is_sent_more_up_to_the_most() -> None:
    hosts = Hosts(Clock())
    for _ in range(2 * MOST):
        attempt(hosts, answered=True)
    assert hosts.room("a") == MOST


def test_a_failure_halves_it_down_to_the_fewest() -> None:
    hosts = Hosts(Clock())
    attempt(hosts, answered=False)
    assert hosts.room("a") == AT_FIRST // 2
    for _ in range(FAILURES - 2):
        attempt(hosts, answered=False)
    assert hosts.room("a") == FEWEST


def test_a_host_that_is_down_is_probed_one_at_a_time_after_longer_and_longer_pauses() -> None:
    clock = Clock()
    hosts = Hosts(clock)
    for _ in range(FAILURES):
        attempt(hosts, answered=False)
    pause = SHORTEST_PAUSE
    for _ in range(10):
        clock.now += pause * 0.99
        assert (hosts.room("a"), hosts.without_room()) == (0, ["a"])
        clock.now += pause * 0.01
        assert hosts.room("a") == 1
        attempt(hosts, answered=False)
        pause = min(2 * pause, LONGEST_PAUSE)
    clock.now += LONGEST_PAUSE
    hosts.begin("a")
    assert hosts.room("a") == 0
    hosts.end("a", answered=True)
    assert hosts.room("a") > 1
