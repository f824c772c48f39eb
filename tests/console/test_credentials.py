"""Integrations > Credentials: owners keep secrets for hosts; what goes in never comes out."""

from __future__ import annotations

import pytest

from ringback.services.vault import find_for
from ringback.store import vault
from tests.console.deeds import told
from tests.console.visitor import Shown, Visitor
from tests.live import Live

PATH = "/a/acme/credentials"
SECRET = "a-secret-nobody-shows"
FORM = {"name": "Acme at TrackDrive", "kind": "bearer", "host": "acme.trackdrive.com", "value": SECRET}


def keep(visitor: Visitor, **changes: str) -> Shown:
    """Fill in the form of a new credential."""
    visitor.get(f"{PATH}/new")
    return visitor.post(f"{PATH}/new", {**FORM, **changes})


def kept(live: Live) -> list[tuple[str, str]]:
    """What the vault has: hosts, and the headers that they are sent."""
    seal = live.app.worker_tools.find_seal()
    with live.world.database.read() as tx:
        rows = vault.list_credentials(tx, [live.world.acme])
    return [(row.host, seal.open(row.sealed, row.about)) for row in rows]


def test_an_empty_list_says_what_to_do(ada: Visitor) -> None:
    page = ada.get(PATH)
    assert "No credentials yet" in page
    assert f'href="{PATH}/new"' in page.html


@pytest.mark.parametrize(
    ("form", "header"),
    [
        ({"kind": "basic", "value": "public:private"}, "Authorization: Basic cHVibGljOnByaXZhdGU="),
        ({"kind": "basic", "value": "Basic cHVibGljOnByaXZhdGU="}, "Authorization: Basic cHVibGljOnByaXZhdGU="),
        ({"kind": "token", "value": "Token abcdef"}, "Authorization: Token abcdef"),
        ({"kind": "bearer"}, f"Authorization: Bearer {SECRET}"),
        ({"kind": "header", "header": "X-Api-Key"}, f"X-Api-Key: {SECRET}"),
    ],
)
def test_a_credential_of_each_kind_is_kept_and_listed(
    live: Live, ada: Visitor, form: dict[str, str], header: str
) -> None:
    page = keep(ada, **form)
    assert (page.path, "Its secret is never shown again." in page) == (PATH, True)
    for words in ("Acme at TrackDrive", "acme.trackdrive.com"):
        assert words in page
    assert kept(live) == [("acme.trackdrive.com", header)]


def test_a_secret_is_shown_nowhere(live: Live, ada: Visitor) -> None:
    pages = [keep(ada), ada.get(f"{PATH}/1"), ada.get(f"{PATH}/1/delete"), ada.get("/a/acme/audit")]
    pages.append(ada.post(f"{PATH}/1", {**FORM, "name": ""}))
    for page in pages:
        assert SECRET not in page.html, page.path
    assert all(SECRET not in str(details) for _, details in told(live, "credential.made"))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": ""}, "name"),
        ({"host": "*.com"}, "anybody can have a name below com"),
        ({"host": "https://x.example/path"}, "host"),
        ({"kind": "magic"}, "choose one of"),
        ({"kind": "basic"}, "write the pair as public:private"),
        ({"kind": "header", "header": "Host"}, "Host is set by Ringback itself"),
        ({"kind": "header"}, "write the name of a header"),
        ({"value": ""}, "as it was handed out"),
    ],
)
def test_what_can_not_be_kept_is_said_at_its_field(
    live: Live, ada: Visitor, changes: dict[str, str], words: str
) -> None:
    page = keep(ada, **changes)
    assert page.status == 422
    assert words.lower() in page.text.lower()
    assert kept(live) == []


class TestAChange:
    def test_of_the_name_leaves_the_secret(self, live: Live, ada: Visitor) -> None:
        keep(ada)
        page = ada.post(f"{PATH}/1", {**FORM, "name": "Renamed", "value": ""})
        assert (page.path, "Saved." in page, "Renamed" in page) == (f"{PATH}/1", True, True)
        assert kept(live) == [("acme.trackdrive.com", f"Authorization: Bearer {SECRET}")]
        assert "Nothing was different." in ada.post(f"{PATH}/1", {**FORM, "name": "Renamed", "value": ""})

    @pytest.mark.parametrize("change", [{"host": "*.trackdrive.com"}, {"kind": "token"}])
    def test_of_host_or_kind_wants_the_secret_again(self, live: Live, ada: Visitor, change: dict[str, str]) -> None:
        keep(ada)
        page = ada.post(f"{PATH}/1", {**FORM, **change, "value": ""})
        assert page.status == 422
        assert "give it again" in page
        assert kept(live) == [("acme.trackdrive.com", f"Authorization: Bearer {SECRET}")]
        assert "Saved." in ada.post(f"{PATH}/1", {**FORM, **change})

    def test_of_the_header_wants_the_secret_again(self, ada: Visitor) -> None:
        keep(ada, kind="header", header="X-Api-Key")
        page = ada.post(f"{PATH}/1", {**FORM, "kind": "header", "header": "X-Other", "value": ""})
        assert (page.status, "give the secret again" in page) == (422, True)

    def test_is_told_by_the_audit_log(self, live: Live, ada: Visitor) -> None:
        keep(ada)
        ada.post(f"{PATH}/1", {**FORM, "value": "another-secret"})
        ((subject, details),) = told(live, "credential.changed")
        assert (subject, details["after"]["secret"]) == ("credential Acme at TrackDrive", "replaced")


def test_a_credential_is_deleted_after_a_question_that_names_its_postbacks(live: Live, ada: Visitor) -> None:
    keep(ada)
    assert "No postback wants it." in ada.get(f"{PATH}/1/delete")
    for name, credential in (("Names it", "1"), ("Goes by host", "by host")):
        form = {"name": name, "owner": "account", "trigger": "buyer_converted", "method": "GET", "body_kind": "none"}
        ada.get("/a/acme/postbacks/new?preset=get")
        request = {"url": f"https://{credential[0]}.example/x", "timeout": "10", "delay": "0", "credential": credential}
        assert "was made" in ada.post("/a/acme/postbacks/new", {**form, **request})
    page = ada.get(f"{PATH}/1/delete")
    for words in ("Names it", "Goes by host"):
        assert words in page
    page = ada.post(f"{PATH}/1/delete")
    assert (page.path, "is deleted." in page) == (PATH, True)
    assert kept(live) == []
    assert len(told(live, "credential.removed")) == 1
    assert ada.get(f"{PATH}/1").status == 404


def test_only_owners_see_them(live: Live, ada: Visitor, meg: Visitor, bob: Visitor, charlie: Visitor) -> None:
    keep(ada)
    assert f'href="{PATH}"' in ada.get("/a/acme/overview").html
    for visitor in (meg, bob, charlie):
        assert PATH not in visitor.get("/a/acme/calls").html
        assert visitor.get(PATH).status == visitor.get(f"{PATH}/1").status == 404
        visitor.get("/login")
        assert visitor.post(f"{PATH}/1/delete").status == visitor.post(f"{PATH}/new", FORM).status == 404
    assert len(kept(live)) == 1


def test_a_long_list_has_pages(ada: Visitor) -> None:
    for number in range(51):
        keep(ada, name=f"Key {number:02}", value="abcdef")
    assert "Key 50" not in ada.get(PATH)
    assert "Key 50" in ada.get(f"{PATH}?after=key+49")


def test_by_host_the_one_bound_most_closely_is_found(live: Live, ada: Visitor) -> None:
    for name, host in (("All", "*.trackdrive.com"), ("One", "acme.trackdrive.com")):
        keep(ada, name=name, host=host)
    with live.world.database.read() as tx:
        found = {host: find_for(tx, live.world.acme, "by host", host) for host in ("acme.trackdrive.com", "x.example")}
        named = find_for(tx, live.world.acme, "1", "acme.trackdrive.com")
    assert named is not None
    assert found["acme.trackdrive.com"] is not None
    assert (named.name, found["acme.trackdrive.com"].name, found["x.example"]) == ("All", "One", None)
