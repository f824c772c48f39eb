"""What each host may be sent at once: more with each answer, less after failures, a probe while it is down."""

from __future__ import annotations

import math

import pytest

from ringback import clock as our_clock
from ringback.delivery.hosts import (
    AHEAD,
    AT_FIRST,
    FAILURES,
    FASTEST,
    FEWEST,
    LONGEST_PAUSE,
    MOST,
    SHORTEST_PAUSE,
    SLOWEST,
    Hosts,
    Sign,
    read_sign,
)
from ringback.domain.exchanges import Exchange, Milliseconds


class Clock:
    """A clock that is set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def exchanged(status: int | None = None, *headers: tuple[str, str], problem: str | None = None) -> Exchange:
    return Exchange(our_clock.now(), Milliseconds(1), status=status, headers=headers, problem=problem)


def begin(hosts: Hosts, host: str = "a") -> None:
    hosts.take(host)
    hosts.begin(host)


def attempt(hosts: Hosts, sign: Sign, wish: float = 0.0) -> None:
    begin(hosts)
    hosts.end("a", sign, wish)


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
        attempt(hosts, Sign.UP)
    assert (hosts.room("a"), at_once(hosts)) == (AHEAD * MOST, MOST)


def test_a_failure_halves_it_down_to_the_fewest() -> None:
    hosts = Hosts(Clock())
    attempt(hosts, Sign.DOWN)
    assert hosts.room("a") == AHEAD * AT_FIRST // 2
    for _ in range(FAILURES - 2):
        attempt(hosts, Sign.DOWN)
    assert (hosts.room("a"), at_once(hosts)) == (AHEAD * FEWEST, FEWEST)


def test_a_host_that_is_down_is_probed_one_at_a_time_after_longer_and_longer_pauses() -> None:
    clock = Clock()
    hosts = Hosts(clock)
    for _ in range(FAILURES):
        attempt(hosts, Sign.DOWN)
    pause = SHORTEST_PAUSE
    for _ in range(10):
        clock.now += pause * 0.99
        assert (hosts.room("a"), hosts.may_begin("a"), hosts.is_closed("a")) == (0, False, True)
        assert 0 < hosts.opens_in() <= LONGEST_PAUSE / 100
        clock.now += hosts.opens_in()
        assert (hosts.room("a"), hosts.may_begin("a"), hosts.without_room()) == (1, True, [])
        attempt(hosts, Sign.DOWN)
        pause = min(2 * pause, LONGEST_PAUSE)
    clock.now += LONGEST_PAUSE
    begin(hosts)
    assert (hosts.room("a"), hosts.may_begin("a"), hosts.without_room()) == (0, False, ["a"])
    hosts.end("a", Sign.UP)
    assert (hosts.room("a") > 1, hosts.opens_in(), hosts.is_closed("a")) == (True, math.inf, False)


def test_one_that_was_under_way_and_gets_through_opens_a_host_at_once() -> None:
    hosts = Hosts(Clock())
    begin(hosts)
    for _ in range(FAILURES):
        attempt(hosts, Sign.DOWN)
    assert hosts.room("a") == 0
    hosts.end("a", Sign.UP)
    assert hosts.room("a") > 1


def test_many_that_fail_together_pause_a_host_once() -> None:
    hosts = Hosts(Clock())
    for _ in range(AT_FIRST):
        begin(hosts)
    for _ in range(AT_FIRST):
        hosts.end("a", Sign.DOWN)
    assert hosts.opens_in() == SHORTEST_PAUSE


def test_what_never_got_there_says_nothing_of_a_host() -> None:
    clock = Clock()
    hosts = Hosts(clock)
    for _ in range(2 * FAILURES):
        attempt(hosts, Sign.NOTHING)
    assert hosts.room("a") == AHEAD * AT_FIRST
    for _ in range(FAILURES):
        attempt(hosts, Sign.DOWN)
    clock.now += SHORTEST_PAUSE
    attempt(hosts, Sign.NOTHING)
    assert (hosts.is_closed("a"), hosts.room("a")) == (True, 1)
    attempt(hosts, Sign.DOWN)
    assert hosts.opens_in() == 2 * SHORTEST_PAUSE


@pytest.mark.parametrize(("wish", "pause"), [(0, SHORTEST_PAUSE), (60, 60), (86_400, LONGEST_PAUSE)])
def test_a_busy_host_is_left_in_peace_for_as_long_as_it_asks(wish: float, pause: float) -> None:
    clock = Clock()
    hosts = Hosts(clock)
    for _ in range(AT_FIRST):
        begin(hosts)
    for _ in range(AT_FIRST):
        hosts.end("a", Sign.BUSY, wish)
    assert (hosts.room("a"), hosts.may_begin("a"), hosts.without_room(), hosts.opens_in()) == (0, False, ["a"], pause)
    clock.now += pause
    assert (hosts.room("a"), at_once(hosts)) == (AHEAD * AT_FIRST // 2, AT_FIRST // 2)


def test_a_busy_host_that_was_down_is_up() -> None:
    clock = Clock()
    hosts = Hosts(clock)
    for _ in range(FAILURES):
        attempt(hosts, Sign.DOWN)
    clock.now += SHORTEST_PAUSE
    attempt(hosts, Sign.BUSY)
    clock.now += SHORTEST_PAUSE
    assert (hosts.room("a"), hosts.is_closed("a")) == (AHEAD * FEWEST, False)


def sent_in_a_second(hosts: Hosts, clock: Clock) -> int:
    """How many may be taken in a second, however fast they are answered."""
    count, end = 0, clock.now + 1
    while clock.now < end:
        while hosts.room("a"):
            attempt(hosts, Sign.NOTHING)
            count += 1
        clock.now += 0.01
    return count


def test_a_host_is_sent_so_many_a_second_and_half_as_many_when_that_was_too_many() -> None:
    clock = Clock()
    hosts = Hosts(clock)
    first = sent_in_a_second(hosts, clock)
    assert FASTEST <= first <= 2 * FASTEST + 1
    assert sent_in_a_second(hosts, clock) == pytest.approx(FASTEST, rel=0.02)
    for _ in range(20):
        attempt(hosts, Sign.BUSY)
        clock.now += SHORTEST_PAUSE
    sent_in_a_second(hosts, clock)
    assert sent_in_a_second(hosts, clock) == SLOWEST
    clock.now += 1 / SLOWEST
    attempt(hosts, Sign.NOTHING)
    assert hosts.opens_in() == pytest.approx(1 / SLOWEST, abs=0.02)
    clock.now += 1 / SLOWEST
    attempt(hosts, Sign.UP)
    sent_in_a_second(hosts, clock)
    assert sent_in_a_second(hosts, clock) == pytest.approx(SLOWEST + 1, abs=1)


@pytest.mark.parametrize(
    ("exchange", "sign"),
    [
        (exchanged(200), Sign.UP),
        (exchanged(404), Sign.UP),
        (exchanged(429), Sign.BUSY),
        (exchanged(503), Sign.DOWN),
        (exchanged(503, ("Retry-After", "30")), Sign.BUSY),
        (exchanged(500, ("Retry-After", "30")), Sign.DOWN),
        (exchanged(problem="timeout"), Sign.DOWN),
        (exchanged(problem="connect_failed"), Sign.DOWN),
        (exchanged(problem="bad_answer"), Sign.UP),
        *(
            (exchanged(problem=problem), Sign.NOTHING)
            for problem in (
                "no_credential",
                "address_refused",
                "scheme_refused",
                "bad_header",
                "bad_url",
                "our_mistake",
            )
        ),
    ],
)
def test_each_attempt_says_something_of_its_host(exchange: Exchange, sign: Sign) -> None:
    assert read_sign(exchange) is sign
