"""A page runs in one transaction, and what others do meanwhile is no trouble of its visitor's."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.responses import PlainTextResponse, Response
from structlog.testing import capture_logs

from ringback import clock, entropy
from ringback.console import endpoint, site
from ringback.console.endpoint import Endpoint
from ringback.console.guesses import Guesses
from ringback.console.pages import Need, Page, Tools, Visit
from ringback.console.session import COOKIE, form_token
from ringback.domain.errors import Refusal
from ringback.sealing import Seal
from ringback.services import passwords
from ringback.settings import read_settings
from ringback.store import accounts
from ringback.store.engine import Database
from ringback.store.failures import ContendedError, RejectedError, StoreError, UnavailableError, UnconfirmedError
from tests.live import Reply
from tests.world import World


def ask(database: Database, page: Page) -> Reply:
    """Post to a page, as one of its own visitors."""
    tools = Tools(
        database=database,
        now=clock.now,
        new_id=entropy.new_id,
        random=entropy.secret_bytes,
        public_url="",
        base_domain="localhost",
        version="0",
        guesses=Guesses(1000, lambda: 0.0),
        retention=read_settings().retention,
        find_seal=Seal.make,
    )
    headers = [(b"host", b"localhost"), (b"cookie", f"{COOKIE}=mine".encode()), (b"sec-fetch-site", b"same-origin")]
    scope: dict[str, Any] = {
        "type": "http",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": headers,
        "scheme": "http",
    }
    scope |= {"server": ("localhost", 80), "path_params": {}, "state": {"ip": "203.0.113.1"}}
    body = urlencode({"csrf": form_token("mine")}).encode()
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(Endpoint(page, tools)(scope, receive, send))  # type: ignore[arg-type] # plainer than ASGI's own types
    told = {name.decode().lower(): value.decode() for name, value in sent[0]["headers"]}
    return Reply(sent[0]["status"], told, b"".join(message.get("body", b"") for message in sent[1:]))


def failing(world: World, *errors: StoreError) -> tuple[Page, list[int]]:
    """A page that adds an account in each of its tries, and then meets one error after another."""
    tries: list[int] = []

    def show(visit: Visit) -> Response:
        tries.append(len(tries) + 1)
        accounts.change_account(visit.tx, world.acme, name=f"After try {len(tries)}")
        if len(tries) <= len(errors):
            raise errors[len(tries) - 1]
        return PlainTextResponse("done")

    return Page("POST", "/", show, Need.NOBODY), tries


def name_of_acme(world: World) -> str:
    with world.database.read() as tx:
        account = accounts.find_account(tx, "acme")
    assert account is not None
    return account.name


@pytest.mark.parametrize("errors", [[ContendedError("lock")] * 4, [RejectedError("raced")]])
def test_what_met_others_in_its_way_is_tried_again_from_the_start(world: World, errors: list[StoreError]) -> None:
    page, tries = failing(world, *errors)
    assert ask(world.database, page).body == b"done"
    assert tries == list(range(1, len(errors) + 2))
    assert name_of_acme(world) == f"After try {len(tries)}"


@pytest.mark.parametrize(
    ("error", "words", "logged"),
    [
        (UnavailableError("gone"), "Nothing was changed.", "the database is not there"),
        (ContendedError("lock"), "Nothing was changed.", "others kept what it needs"),
        (UnconfirmedError("gone"), "it is not known whether it was", "the database is not there"),
    ],
)
def test_what_can_t_be_done_now_is_said_in_a_page(
    world: World, error: StoreError, words: str, logged: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "PATIENCE_SECONDS", 0.0)
    page, tries = failing(world, error)
    with capture_logs() as said:
        reply = ask(world.database, page)
    assert [line["why"] for line in said] == [logged]
    assert (reply.status, reply.headers["retry-after"], words in reply.body.decode()) == (503, "5", True)
    assert (tries, name_of_acme(world)) == ([1], "Acme Media")


def test_what_is_rejected_twice_is_a_mistake_of_ours(world: World) -> None:
    page, tries = failing(world, RejectedError("no"), RejectedError("no"))
    with capture_logs() as logged:
        reply = ask(world.database, page)
    (line,) = [each for each in logged if each["event"] == "page failed"]
    assert (reply.status, line["log_level"], line["request_id"] in reply.body.decode()) == (500, "error", True)
    assert b"a mistake of ours" in reply.body
    assert (tries, name_of_acme(world)) == ([1, 2], "Acme Media")


def test_a_lock_that_is_given_back_in_time_is_waited_for(postgres_world: World) -> None:
    """The first try meets a row that another transaction holds; before the second it is free."""
    world, tries = postgres_world, []
    holding = world.database.write()
    accounts.change_account(holding.__enter__(), world.acme, name="Held")

    def show(visit: Visit) -> Response:
        tries.append(1)
        if len(tries) > 1:
            holding.__exit__(None, None, None)
        visit.tx.exec_driver_sql("SET LOCAL lock_timeout = '10ms'")
        accounts.change_account(visit.tx, world.acme, name="Free")
        return PlainTextResponse("done")

    assert ask(world.database, Page("POST", "/", show, Need.NOBODY)).body == b"done"
    assert (len(tries), name_of_acme(world)) == (2, "Free")


def with_ahead(ahead: Callable[[Visit], object]) -> Page:
    return Page("POST", "/", lambda visit: PlainTextResponse(visit.done_ahead(str)), Need.NOBODY, ahead)


def test_what_is_done_ahead_holds_no_connection(world: World) -> None:
    pool: Any = world.database.engine.pool
    page = with_ahead(lambda _: f"{pool.checkedout()} held")
    assert ask(world.database, page).body == b"0 held"


def test_why_it_could_not_be_done_is_told_by_the_page(world: World) -> None:
    def refuse(_: Visit) -> object:
        raise Refusal("wrong_password")

    reply = ask(world.database, with_ahead(refuse))
    assert (reply.status, "E-mail address or password is wrong." in reply.body.decode()) == (401, True)


def test_every_page_with_a_password_looks_at_it_ahead() -> None:
    found = {page.path for page in site.PAGES if page.ahead is not None}
    of_links = {f"/{kind}/{{secret}}" for kind in ("first-run", "reset", "invitation")}
    assert {"/login", *of_links, "/a/{account}/profile/password"} <= found


def test_a_password_never_shows_where_a_proof_is_printed() -> None:
    chosen = passwords.choose("correct horse battery")
    proof = passwords.prove((accounts.User(1, "a@b.example", "A", verified=True), chosen.hash), "correct horse battery")
    assert "argon2" not in f"{chosen!r} {proof!r}"
