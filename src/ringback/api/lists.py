"""Lists, as every list of the API is asked for and answered: pages, cursors, columns, JSON and CSV.

A route reads what every list knows with :func:`read_asked`, asks its own names of ``asked.query``, checks it, and
answers with :func:`answer`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ringback.api.answers import NEWLINE, encode
from ringback.api.desk import Answer
from ringback.domain.queries import END, LONGEST_PAGE, USUAL_LENGTH, Paging, Query, read_paging
from ringback.services.exports import csv_lines, harmless

Row = Mapping[str, object]
"""A row by column, as JSON has it; what its reader may not read is left out."""

LISTING = ("page", "per_page", "cursor", "columns", "root", "serializer")
"""The parameters that every list has, by their names in the document."""

PARAMETERS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "page": ("The number of the page, from 1 on.", {"type": "integer", "minimum": 1}),
    "per_page": (
        f"How many rows a page has: {USUAL_LENGTH} if nothing is said, {LONGEST_PAGE} at most.",
        {"type": "integer", "minimum": 1, "maximum": LONGEST_PAGE},
    ),
    "cursor": (
        (
            "`-1` for the first page, then the `next_cursor` of each answer, until that is `0`. Rows that are added "
            "meanwhile move no others: none comes twice, none is missed."
        ),
        {"type": "integer", "minimum": -1},
    ),
    "columns": (
        (
            "Names of columns, separated by commas; rows are cut to these. Names that there are not are passed over, "
            "and listed in `metadata.ignored`."
        ),
        {"type": "string"},
    ),
    "root": ("`false` answers with the bare rows, without their envelope.", {"type": "boolean"}),
    "serializer": ("The name of a form of the rows, as TrackDrive's clients send it. It changes nothing.", {}),
}
"""What they are, each with its schema."""


@dataclass(frozen=True, slots=True)
class Asked:
    """How a list was asked for; ``query`` is there for its filters."""

    query: Query
    paging: Paging
    columns: tuple[str, ...]
    is_bare: bool
    is_csv: bool


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of a list.

    Attributes:
        rows: the rows, each with all that its reader may see.
        total_count: how many rows there are on all pages together; None if that isn't known.
        next_cursor: where the next page begins; 0 if there is none, None where the order knows no cursor.
        usual: the columns of a file if none are asked for, in their order.
        absent: columns that are never kept; they are shown, as null, only where they are asked for.
        others: columns that there are beside these, for other readers or where they are asked for.
    """

    rows: Sequence[Row]
    total_count: int | None
    next_cursor: int | None = END
    usual: Sequence[str] = ()
    absent: frozenset[str] = field(default_factory=frozenset)
    others: frozenset[str] = field(default_factory=frozenset)

    @property
    def columns(self) -> frozenset[str]:
        """All columns that there are."""
        return frozenset(self.usual) | self.absent | self.others


def read_asked(request: Request) -> Asked:
    """How a list is asked for; what is wrong with it is told when ``asked.query`` is checked."""
    query = Query(request.query_params)
    query.text("serializer")
    columns, is_bare = query.names("columns"), query.truth("root") is False
    return Asked(query, read_paging(query), columns, is_bare, _is_csv(request))


def answer(noun: str, asked: Asked, listed: Listed) -> Response:
    """The answer to a request for a list; ``noun`` is the name of its rows in the envelope, as ``calls``."""
    if asked.is_csv:
        return _file(noun, asked, listed)
    rows = [cut(row, asked.columns, listed.absent) for row in listed.rows]
    if asked.is_bare:
        return bare(rows)
    by_page = asked.paging.cursor is None
    metadata: dict[str, object] = {
        "root": noun,
        "total_count": listed.total_count,
        "next_cursor": listed.next_cursor,
        "page": asked.paging.page if by_page else None,
        "per_page": asked.paging.per_page,
    }
    asked.query.pass_over(name for name in asked.columns if name not in listed.columns)
    if ignored := asked.query.ignored:
        metadata["ignored"] = ignored
    return Answer(200, {"status": 200, "success": True, "errors": {}, noun: rows, "metadata": metadata})


def bare(rows: Sequence[Row]) -> Response:
    """Rows without an envelope."""
    return _sent(encode(rows) + NEWLINE, "application/json")


def cut(row: Row, columns: Sequence[str], absent: frozenset[str] = frozenset()) -> Row:
    """A row cut to the columns that are asked for, if any are; names that there are not are passed over."""
    if not columns:
        return row
    return {name: row.get(name) for name in columns if name in row or name in absent}


def _file(noun: str, asked: Asked, listed: Listed) -> Response:
    named = {name for row in listed.rows for name in row} | {*listed.usual} | listed.absent
    columns = [name for name in asked.columns if name in named] if asked.columns else listed.usual
    lines = [columns, *([_cell(row.get(name)) for name in columns] for row in listed.rows)]
    headers = {"content-disposition": f'attachment; filename="{noun}.csv"'}
    return _sent(csv_lines(lines).encode(errors="replace"), "text/csv; charset=utf-8", **headers)


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return harmless(value if isinstance(value, str) else encode(value).decode())


def _sent(content: bytes, media_type: str, **headers: str) -> Response:
    always = {"cache-control": "no-store", "x-content-type-options": "nosniff", "content-type": media_type}
    return Response(content, headers={**always, **headers})


def _is_csv(request: Request) -> bool:
    """Whether a file is asked for: by the end of the path, else by ``Accept`` that names no JSON."""
    suffix = getattr(request.state, "suffix", "")
    accept = request.headers.get("accept", "").lower()
    return suffix == ".csv" or (not suffix and "text/csv" in accept and "json" not in accept)
