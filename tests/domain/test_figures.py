from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from ringback.domain.figures import Figures, Updates
from ringback.domain.receipts import Result

ALL = Figures(10, 3, Decimal("100.5"), Decimal(60), Decimal(90), Decimal(50))


def test_those_that_converted_and_those_that_did_not_are_all() -> None:
    converted, others = ALL.of_converted(converted=True), ALL.of_converted(converted=False)
    assert converted == Figures(3, 3, Decimal(90), Decimal(50), Decimal(90), Decimal(50))
    assert others == Figures(7, 0, Decimal("10.5"), Decimal(10), Decimal(0), Decimal(0))
    assert converted + others == ALL == ALL.of_converted(converted=None)
    assert Figures() == ALL - ALL


def test_a_margin_may_be_negative() -> None:
    assert Figures(1, 1, Decimal(5), Decimal("7.50")).margin == Decimal("-2.50")


class TestUpdates:
    SOME = Updates({(Result.APPLIED, "applied"): 2, (Result.DENIED, "no_team"): 1}, timedelta(hours=3))
    MORE = Updates({(Result.DENIED, "permission_denied"): 4, (Result.DENIED, "no_team"): 1, (Result.REPLAYED, "x"): 1})

    def test_they_are_counted_by_outcome_and_reason(self) -> None:
        both = self.SOME + self.MORE
        assert (both.received, both.accepted, both.of(Result.DENIED)) == (9, 3, 6)
        assert both.codes(Result.DENIED) == [("permission_denied", 4), ("no_team", 2)]
        assert both.codes(Result.EARLY) == []

    def test_the_mean_is_of_those_that_were_applied(self) -> None:
        assert (self.SOME + self.MORE).mean_wait == timedelta(hours=1.5)
        assert self.MORE.mean_wait is None
