from __future__ import annotations

from ringback.domain.throttle import SENDERS_KEPT, WrongCredentials


class Watch:
    """A clock in the test's hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_so_many_are_let_pass_in_a_window() -> None:
    throttle = WrongCredentials(2, Watch())
    assert [throttle.is_too_many("a") for _ in range(4)] == [False, False, True, True]
    assert not throttle.is_too_many("b")


def test_the_next_window_begins_anew() -> None:
    watch = Watch()
    throttle = WrongCredentials(1, watch, window=900)
    assert [throttle.is_too_many("a") for _ in range(2)] == [False, True]
    watch.seconds = 899
    assert throttle.is_too_many("a")
    watch.seconds = 900
    assert not throttle.is_too_many("a")


def test_what_was_right_after_all_does_not_count() -> None:
    watch = Watch()
    throttle = WrongCredentials(1, watch)
    for _ in range(5):
        assert not throttle.is_too_many("a")
        throttle.take_back("a")
    throttle.take_back("a")
    assert [throttle.is_too_many("a") for _ in range(2)] == [False, True]
    watch.seconds = 60
    throttle.take_back("a")
    assert [throttle.is_too_many("a") for _ in range(2)] == [False, True]


def test_no_more_senders_are_remembered_than_there_is_room_for() -> None:
    throttle = WrongCredentials(1, Watch())
    throttle.is_too_many("first")
    for number in range(SENDERS_KEPT):
        throttle.is_too_many(str(number))
    assert not throttle.is_too_many("first")
    assert throttle.is_too_many(str(SENDERS_KEPT - 1))
