"""Mails: invitations and forgotten passwords, sent to a real mail server."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from ringback import clock
from ringback.app import build
from ringback.services import people
from ringback.settings import read_settings
from ringback.store import accounts
from ringback.store.accounts import User
from ringback.store.people import LinkKind
from ringback.store.schema import links
from ringback.store.values import to_moment
from tests.console.deeds import told
from tests.console.test_invitations import DORA, LINK, counts, invite
from tests.console.visitor import PASSWORD, Visitor, visiting
from tests.live import Live, running
from tests.postbox import REFUSED, Postbox, Received, receiving
from tests.world import build_world

TEAM, PEOPLE = "/a/acme/company/teams/1", "/a/acme/company/people"
NEW_PASSWORD = "a quite different password"


@pytest.fixture
def postbox() -> Iterator[Postbox]:
    """The mail server."""
    with receiving() as opened:
        yield opened


@pytest.fixture
def live(database_url: str, postbox: Postbox) -> Iterator[Live]:
    """A server that sends mails, on each kind of database in turn."""
    settings = read_settings(
        database_url=database_url,
        smtp_url=f"smtp://127.0.0.1:{postbox.port}?tls=none",
        mail_from="ringback@acme.example",
        public_url="http://localhost",
    )
    app = build(settings)
    with running(app, build_world(app.database)) as server:
        yield server


def user(live: Live, email: str = DORA) -> User:
    with live.world.database.read() as tx:
        found = accounts.find_user(tx, email)
    assert found is not None
    return found


def link_in(html: str) -> str:
    """The path of the link that a page hands over."""
    found = re.search(r"http://localhost(/invitation/[0-9a-f]{48})", html)
    assert found is not None
    return found[1]


def ask(live: Live, email: str) -> str:
    """Ask for a new password; returns what the page says."""
    visitor = visiting(live)
    visitor.get("/forgotten")
    page = visitor.post("/forgotten", {"email": email})
    assert page.status == 200
    return page.text


def soon(found: Callable[[], bool]) -> None:
    """Wait for something that happens by itself."""
    until = time.monotonic() + 10
    while not found():
        assert time.monotonic() < until
        time.sleep(0.01)


class TestAnInvitation:
    def test_goes_to_the_mailbox_and_to_nobody_else(self, live: Live, ada: Visitor, postbox: Postbox) -> None:
        page = ada.post(TEAM, {"do": "add", "email": DORA})
        assert "dora@bright.example gets a link by mail" in page
        assert "/invitation/" not in page.html
        (received,) = postbox.received
        assert received.to == [DORA]
        assert received.message["Subject"] == "Acme Media invites you"
        assert "Ada invites you to Acme Media on Ringback." in received.text
        dora = visiting(live)
        assert dora.get(received.path).status == 200
        assert dora.post(received.path, {"name": "Dora", "password": PASSWORD}).path == "/a/acme/calls"

    @pytest.mark.parametrize(
        ("path", "form"),
        [
            (TEAM, {"do": "add"}),
            (PEOPLE, {"role": "manager"}),
            ("/a/acme/buyers/1/team-access", {}),
        ],
    )
    def test_is_mailed_wherever_somebody_is_added(
        self, ada: Visitor, postbox: Postbox, path: str, form: dict[str, str]
    ) -> None:
        page = ada.post(path, {"email": DORA, **form})
        assert "gets a link by mail" in page
        assert [received.to for received in postbox.received] == [[DORA]]

    def test_that_was_mailed_proves_the_address(self, live: Live, ada: Visitor, postbox: Postbox) -> None:
        ada.post(TEAM, {"do": "add", "email": DORA})
        assert not user(live).verified
        visiting(live).post(postbox.received[0].path, {})  # from elsewhere, and so refused
        dora = visiting(live)
        dora.get(postbox.received[0].path)
        dora.post(postbox.received[0].path, {"name": "Dora", "password": PASSWORD})
        assert user(live).verified

    def test_is_sent_after_it_was_committed(self, live: Live, ada: Visitor, postbox: Postbox) -> None:
        seen: list[int] = []

        def look(received: Received) -> None:
            seen.append(live.request("GET", received.path, account="").status)

        postbox.meanwhile = look
        ada.post(TEAM, {"do": "add", "email": DORA})
        assert seen == [200]

    def test_that_could_not_be_sent_is_handed_over_and_proves_nothing(self, live: Live, ada: Visitor) -> None:
        page = ada.post(TEAM, {"do": "add", "email": REFUSED})
        assert "It could not be sent by mail: the mail server does not take this address." in page
        found = link_in(page.html)
        guest = visiting(live)
        guest.get(found)
        guest.post(found, {"name": "Guest", "password": PASSWORD})
        assert not user(live, REFUSED).verified
        assert counts(live, live.world.acme, user(live, REFUSED).id) == (None, 1)

    def test_of_what_is_refused_nothing_is_sent(self, ada: Visitor, bob: Visitor, postbox: Postbox) -> None:
        assert ada.post(PEOPLE, {"email": "nobody", "role": "manager"}).status == 422
        assert ada.post(f"{PEOPLE}/1", {"role": "member"}).status == 422
        assert bob.post(PEOPLE, {"email": DORA, "role": "manager"}).status == 404
        assert postbox.received == []

    def test_can_be_handed_over_instead(self, live: Live, ada: Visitor, postbox: Postbox) -> None:
        ada.post(TEAM, {"do": "add", "email": DORA})
        page = ada.post("/a/acme/company/invitations", {"email": DORA})
        handed = link_in(page.html)
        assert len(postbox.received) == 1
        assert told(live, "invitation.handed_over") == [("user dora@bright.example", {})]
        dora = visiting(live)
        assert dora.get(postbox.received[0].path).status == 404
        dora.get(handed)
        dora.post(handed, {"name": "Dora", "password": PASSWORD})
        assert not user(live).verified

    def test_of_a_stranger_is_nobodys_to_hand_over(self, ada: Visitor, bob: Visitor) -> None:
        for visitor, email in ((ada, "charlie@zeta.example"), (ada, "none@x.example"), (bob, "bob@bright.example")):
            assert visitor.post("/a/acme/company/invitations", {"email": email}).status == 404


class TestAForgottenPassword:
    def test_is_replaced_by_who_has_the_mailbox(self, live: Live, bob: Visitor, postbox: Postbox) -> None:
        assert 'href="/forgotten"' in visiting(live).get("/login").html
        ask(live, "Bob@Bright.example")
        soon(lambda: bool(postbox.received))
        (received,) = postbox.received
        assert received.to == ["bob@bright.example"]
        visitor = visiting(live)
        assert "For bob@bright.example." in visitor.get(received.path)
        visitor.post(received.path, {"password": NEW_PASSWORD})
        assert bob.get(TEAM).path.startswith("/login")
        assert visiting(live).log_in("bob@bright.example", NEW_PASSWORD).path == "/a/acme/calls"

    def test_of_an_unknown_address_looks_the_same(self, live: Live, postbox: Postbox) -> None:
        known, unknown = ask(live, "bob@bright.example"), ask(live, "nobody@bright.example")
        assert known.replace("bob@", "nobody@") == unknown
        soon(lambda: bool(postbox.received))
        assert [received.to for received in postbox.received] == [["bob@bright.example"]]

    def test_is_mailed_once_in_five_minutes(self, live: Live, postbox: Postbox) -> None:
        for _ in range(3):
            ask(live, "bob@bright.example")
        ask(live, "ada@acme.example")
        soon(lambda: len(postbox.received) == 2)
        assert [received.to for received in postbox.received] == [["bob@bright.example"], ["ada@acme.example"]]
        made_at = to_moment(clock.now() - timedelta(minutes=6))
        with live.world.database.write() as tx:
            tx.execute(update(links).values(created_at=made_at))
        ask(live, "bob@bright.example")
        soon(lambda: len(postbox.received) == 3)
        assert visiting(live).get(postbox.received[0].path).status == 404

    def test_leaves_the_operators_link_alone(self, live: Live, postbox: Postbox) -> None:
        with live.world.database.write() as tx:
            people.make_link(tx, LinkKind.RESET, "byhand", now=clock.now(), user_id=live.world.bob)
        ask(live, "bob@bright.example")
        soon(lambda: bool(postbox.received))
        assert visiting(live).get("/reset/byhand").status == 200

    def test_proves_the_address_of_who_has_no_tokens_yet(self, live: Live, ada: Visitor, postbox: Postbox) -> None:
        for email, has_token in ((DORA, False), ("eve@bright.example", True)):
            ada.post(TEAM, {"do": "add", "email": email})
            link = link_in(ada.post("/a/acme/company/invitations", {"email": email}).html)
            guest = visiting(live)
            guest.get(link)
            guest.post(link, {"name": "Guest", "password": PASSWORD})
            if has_token:
                live.world.token(user(live, email).id, live.world.acme)
            before = len(postbox.received)
            ask(live, email)
            soon(lambda before=before: len(postbox.received) > before)  # type: ignore[misc]
            guest.get(postbox.received[-1].path)
            guest.post(postbox.received[-1].path, {"password": NEW_PASSWORD})
            assert user(live, email).verified is not has_token

    def test_too_many_from_one_address_are_not_even_looked_at(self, live: Live, postbox: Postbox) -> None:
        for number in range(31):
            ask(live, f"nobody{number}@bright.example")
        ask(live, "bob@bright.example")
        ask(live, "ada@acme.example")
        with live.world.database.read() as tx:
            assert tx.execute(select(links.c.digest).where(links.c.kind == "reset")).all() == []
        assert postbox.received == []


class TestWithoutAMailServer:
    @pytest.fixture
    def live(self, database_url: str) -> Iterator[Live]:
        """A server that sends no mails."""
        app = build(read_settings(database_url=database_url))
        with running(app, build_world(app.database)) as server:
            yield server

    def test_links_are_handed_over(self, live: Live, ada: Visitor) -> None:
        assert invite(ada)
        assert "Ringback sends nothing." in ada.shown
        assert LINK.search(ada.shown.html)
        assert not user(live).verified

    def test_nobody_is_asked_for_his_address(self, live: Live) -> None:
        visitor = visiting(live)
        assert "The operator of this server can make you a reset link." in visitor.get("/login")
        assert visitor.get("/forgotten").status == 404
        assert visitor.post("/forgotten", {"email": "bob@bright.example"}).status == 404
