"""Answers of HTTP/1.1, read from bytes as they come. A stranger wrote them, so no more is taken in than is kept."""

from __future__ import annotations

from collections.abc import Callable

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from ringback.domain.exchanges import BODY_KEPT

MOST_READ = 1024 * 1024
"""Bytes of an answer that are read, those of its head and of how it is cut in pieces among them."""

HEADERS_KEPT = 100
LONGEST_HEADER = 2000
"""How much of an answer's head is kept."""

_SWITCHES = 101
_FIRST_FINAL = 200


class BadAnswerError(Exception):
    """What came is not an answer of HTTP."""


class Answer:
    """An answer, as much of it as has come.

    Attributes:
        status: None until its head is there.
        headed_at: when that was.
        is_done: whether nothing more of it is read.
        is_whole: whether all of it is here.
    """

    __slots__ = ("_now", "_parts", "_size", "headed_at", "headers", "is_done", "is_whole", "status")

    def __init__(self, now: Callable[[], float]) -> None:
        self.status: int | None = None
        self.headed_at: float | None = None
        self.headers: tuple[tuple[str, str], ...] = ()
        self.is_done = self.is_whole = False
        self._now = now
        self._parts: list[bytes] = []
        self._size = 0

    @property
    def body(self) -> bytes:
        """What came of its body, as much as is kept."""
        return b"".join(self._parts)[:BODY_KEPT]

    @property
    def is_too_long(self) -> bool:
        """Whether its body is longer than what is kept."""
        return self._size > BODY_KEPT

    def begin(self, status: int, headers: tuple[tuple[str, str], ...]) -> None:
        """Its head is there."""
        self.status, self.headers, self.headed_at = status, headers, self._now()

    def add(self, part: bytes) -> None:
        """Add to its body."""
        self._parts.append(part)
        self._size += len(part)

    def end(self, *, whole: bool) -> None:
        """Nothing more of it is read."""
        self.is_done, self.is_whole = True, whole


class AnswerReader:
    """Reads the answers that come over one connection.

    Attributes:
        may_go_on: whether another request can follow over this connection.
    """

    def __init__(self) -> None:
        self.may_go_on = True
        self._answer = Answer(lambda: 0.0)  # nobody's
        self._is_bodiless = False
        self._says_its_end = False
        self._read = 0
        self._headers: list[tuple[bytes, bytes]] = []
        self._parser = HttpResponseParser(self)
        # As forgiving as other clients are to servers that end their lines badly.
        self._parser.set_dangerous_leniencies(
            lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )

    def expect(self, answer: Answer, method: str) -> None:
        """Read the next answer into this one; it is to a request with this method."""
        self._answer = answer
        self._is_bodiless = method == "HEAD"
        self._read = 0
        self.may_go_on = False

    def feed(self, data: bytes) -> None:
        """Read on.

        Raises:
            BadAnswerError: it is none, and that before its head was whole.
        """
        self._read += len(data)
        reason = "it is too long"
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade:
            self.may_go_on = False
        except HttpParserError as error:
            reason = str(error)
            self._break_off(reason)
        if self._answer.is_too_long or self._read > MOST_READ:
            self._break_off(reason)

    def end(self) -> None:
        """The connection was closed: there an answer ends that doesn't say where it does."""
        if self._answer.status is not None and not self._says_its_end and not self._answer.is_done:
            self._answer.end(whole=True)

    def _break_off(self, reason: str) -> None:
        self.may_go_on = False
        if self._answer.status is None:
            raise BadAnswerError(reason)
        if not self._answer.is_done:
            self._answer.end(whole=False)

    # What the parser calls; all that comes after an answer is not wanted.

    def on_message_begin(self) -> None:
        """An answer begins, perhaps one that nobody asked for."""
        self.may_go_on = False
        self._headers.clear()
        self._says_its_end = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or afterwards a line of the trailer."""
        if self._answer.status is not None:
            return
        self._headers.append((name, value))
        name = name.lower()
        if name == b"content-length" or (name == b"transfer-encoding" and b"chunked" in value.lower()):
            self._says_its_end = True

    def on_headers_complete(self) -> None:
        """A head is whole; what only hints at the answer to come (1xx) is none."""
        status = self._parser.get_status_code()
        if self._answer.status is not None or (status < _FIRST_FINAL and status != _SWITCHES):
            return
        headers = tuple(
            (name.decode(errors="replace"), value.decode(errors="replace")[:LONGEST_HEADER])
            for name, value in self._headers[:HEADERS_KEPT]
        )
        self._answer.begin(status, headers)
        if self._is_bodiless:  # the parser doesn't know, and would wait for the body that the head tells of
            self._answer.end(whole=True)

    def on_body(self, part: bytes) -> None:
        """A piece of a body."""
        if not self._answer.is_done and not self._answer.is_too_long:
            self._answer.add(part)

    def on_message_complete(self) -> None:
        """An answer is whole."""
        if self._answer.status is not None and not self._answer.is_done:
            self._answer.end(whole=not self._answer.is_too_long)
            self.may_go_on = self._answer.is_whole and self._parser.should_keep_alive()
