from __future__ import annotations

from pathlib import Path

from benchmarks import sections
from tests.crash import report


def test_the_section_takes_the_place_of_the_last_one_and_of_nothing_else(tmp_path: Path) -> None:
    place = tmp_path / "RESULTS.md"
    place.write_text("# Results\n\nspeed\n\n<!-- crash -->\nold\n<!-- /crash -->\n\nmore speed\n")
    for section in ("new\n", "newer\n"):
        report.put(section, place)
    assert place.read_text() == "# Results\n\nspeed\n\n<!-- crash -->\nnewer\n<!-- /crash -->\n\nmore speed\n"


def test_the_section_comes_last_where_there_was_none(tmp_path: Path) -> None:
    place = tmp_path / "RESULTS.md"
    report.put("first", place)
    assert place.read_text() == "# Results\n\n<!-- crash -->\nfirst\n<!-- /crash -->\n"


def test_figures_stand_under_their_names() -> None:
    rows: dict[str, dict[str, object]] = {"SQLite": {"kills": 60, "lost": 0}, "PostgreSQL": {"lost": 0, "503": 9}}
    assert report.table(rows).splitlines() == [
        "|  | kills | lost | 503 |",
        "| --- | ---: | ---: | ---: |",
        "| SQLite | 60 | 0 |  |",
        "| PostgreSQL |  | 0 | 9 |",
    ]


def test_make_bench_keeps_the_sections_of_others(tmp_path: Path) -> None:
    place = tmp_path / "RESULTS.md"
    assert sections.kept(place) == ""
    place.write_text("# Results\n\nspeed\n")
    sections.put("growth", "big", place)
    sections.put("crash", "hard", place)
    assert sections.kept(place) == "<!-- growth -->\nbig\n<!-- /growth -->\n\n<!-- crash -->\nhard\n<!-- /crash -->"
