from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from tests.house import sizes
from tests.house.source import ROOT, SRC, TESTS, Source, read

SOURCES = read(SRC)
TEST_SOURCES = read(TESTS)
BOTH = [pytest.param(SOURCES, id="source"), pytest.param(TEST_SOURCES, id="tests")]


def one(text: str, path: str = "one.py") -> list[Source]:
    return [Source(path, dedent(text))]


def function_of(lines: int) -> list[Source]:
    return one("def function():\n" + "    pass\n" * (lines - 1))


@pytest.mark.parametrize("sources", BOTH)
def test_files_are_short(sources: list[Source]) -> None:
    assert sizes.long_files(sources) == []


def test_half_of_the_source_files_are_very_short() -> None:
    assert sizes.median_length(SOURCES) <= 120


@pytest.mark.parametrize("sources", BOTH)
def test_functions_are_short(sources: list[Source]) -> None:
    assert sizes.long_functions(sources) == []
    assert sizes.share_of_short_functions(sources) >= 0.9


def test_templates_are_short() -> None:
    assert sizes.long_templates(SRC) == []


@pytest.mark.parametrize("sources", BOTH)
def test_modules_are_named_for_what_is_inside(sources: list[Source]) -> None:
    assert sizes.vague_names(sources) == []


@pytest.mark.parametrize("sources", BOTH)
def test_the_type_checker_is_silenced_only_by_name(sources: list[Source]) -> None:
    assert sizes.bare_type_ignores(sources) == []


def test_every_test_is_run_and_meant() -> None:
    assert sizes.tests_not_run(TEST_SOURCES) == []


def test_tests_and_source_are_in_proportion(capsys: pytest.CaptureFixture[str]) -> None:
    ratio = sizes.lines_of_test_a_line_of_source(TEST_SOURCES, SOURCES)
    with capsys.disabled():
        print(f"\n{ratio:.2f} lines of test a line of source; the aim is 1.2 to 1.8")  # noqa: T201  # told, not asserted


def test_the_sources_are_found() -> None:
    assert {source.path for source in SOURCES} >= {"ringback/__init__.py", "ringback/domain/__init__.py"}
    assert str(Path(__file__).relative_to(TESTS)) in {source.path for source in TEST_SOURCES}
    assert (ROOT / "pyproject.toml").exists()


class TestTheRulesThemselves:
    def test_a_long_file_is_found(self) -> None:
        assert sizes.long_files(one("pass\n" * 400)) == []
        assert sizes.long_files(one("pass\n" * 401)) == ["one.py: 401 lines"]

    def test_the_median_is_of_files_with_something_in_them(self) -> None:
        assert sizes.median_length([*one(""), *one("pass\n" * 3), *one("pass\n" * 5)]) == 4
        assert sizes.median_length([]) == 0

    def test_a_long_function_is_found_wherever_it_stands(self) -> None:
        assert sizes.long_functions(function_of(60)) == []
        assert sizes.long_functions(function_of(61)) == ["one.py:1: function: 61 lines"]
        method = "class A:\n    async def method(self):\n" + "        pass\n" * 60
        assert sizes.long_functions(one(method)) == ["one.py:2: method: 61 lines"]

    def test_a_migration_may_be_long(self) -> None:
        text = function_of(61)[0].text
        assert sizes.long_functions(one(text, "ringback/store/migrations/versions/0001_tables.py")) == []
        assert sizes.long_functions(one(text, "ringback/store/migrations/env.py")) != []

    def test_the_share_of_short_functions(self) -> None:
        assert sizes.share_of_short_functions([*function_of(30), *function_of(31)]) == 0.5
        assert sizes.share_of_short_functions([]) == 1

    def test_a_long_template_is_found(self, tmp_path: Path) -> None:
        (folder := tmp_path / "console" / "templates" / "calls").mkdir(parents=True)
        (folder / "short.html").write_text("<p>\n" * 150)
        (folder / "long.html").write_text("<p>\n" * 151)
        assert sizes.long_templates(tmp_path) == ["console/templates/calls/long.html: 151 lines"]

    @pytest.mark.parametrize("path", ["a/utils.py", "a/helpers/b.py", "manager.py", "common/__init__.py"])
    def test_a_vague_name_is_found(self, path: str) -> None:
        assert sizes.vague_names(one("", path)) == [path]

    def test_a_telling_name_is_not(self) -> None:
        assert sizes.vague_names(one("", "calls/commonplaces.py")) == []

    def test_a_bare_type_ignore_is_found(self) -> None:
        assert sizes.bare_type_ignores(one("a = 1  # type: " + "ignore\n")) == ["one.py:1: # type: " + "ignore"]
        assert sizes.bare_type_ignores(one("a = 1  # type: " + "ignore[misc]\n")) == []
        assert sizes.bare_type_ignores(one("a = '# type: " + "ignore'\n")) == []

    @pytest.mark.parametrize(
        "text",
        [
            "import pytest\npytest.skip('later')",
            "import pytest\n@pytest.mark.skipif(True)\ndef test(): ...",
            "import pytest as p\n@p.mark.xfail\ndef test(): ...",
            "from pytest import mark\npytestmark = mark.skip",
            "from pytest import importorskip",
        ],
    )
    def test_a_test_not_run_is_found(self, text: str) -> None:
        assert sizes.tests_not_run(one(text)) != []

    def test_a_test_that_is_run_is_not(self) -> None:
        assert (
            sizes.tests_not_run(one("import pytest\n@pytest.mark.parametrize('a', [1])\ndef test(a): skip = a")) == []
        )

    def test_the_proportion_counts_lines_with_something_on_them(self) -> None:
        assert sizes.lines_of_test_a_line_of_source(one("a = 1\n\nb = 2\nc = 3\n"), one("a = 1\n\nb = 2\n")) == 1.5
