from __future__ import annotations

import pytest

from ringback import clock
from ringback.services import people
from ringback.store.people import LinkKind
from tests.cli.shell import Shell
from tests.world import World


def test_an_account_is_made_with_its_owner_and_listed(shell: Shell, database_url: str) -> None:
    shell.database = database_url
    made = shell.ok(
        "account", "create", "ACME", "--name", "Acme", "--time-zone", "America/New_York", "--owner", "a@x.example"
    )
    assert made.lines == ["+ account acme (Acme), owned by a@x.example"]
    plain = shell.ok("account", "create", "zeta", "--owner", "a@x.example", "--json").json
    assert plain == {"id": 2, "subdomain": "zeta", "name": "zeta", "time_zone": "UTC", "owner": "a@x.example"}
    assert shell.ok("account", "list").lines == [
        "Subdomain  Name  Time zone",
        "acme       Acme  America/New_York",
        "zeta       zeta  UTC",
    ]
    assert [each["subdomain"] for each in shell.ok("account", "list", "--json").json] == ["acme", "zeta"]


def test_where_there_is_nothing_it_is_said(shell: Shell) -> None:
    shell.database = "sqlite:///x.db"
    shell.ok("migrate")
    assert shell.ok("account", "list").lines == ["There is no account yet."]
    assert shell.ok("user", "list").lines == ["There is no user yet."]
    assert shell.ok("token", "list").lines == ["There is no access token."]


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["acme"], "there is an account acme already"),
        (["a.b"], "a.b is not a subdomain: letters a to z"),
        (["new", "--time-zone", "Mars"], "Mars is not a time zone"),
    ],
)
def test_an_account_that_cannot_be_is_refused(at_acme: Shell, arguments: list[str], reason: str) -> None:
    assert at_acme.fails("account", "create", *arguments, "--owner", "ada@acme.example").startswith(reason)


def test_users_are_made_verified_unless_said_otherwise(at_acme: Shell) -> None:
    assert at_acme.ok("user", "create", "new@x.example").lines == ["+ user new@x.example"]
    made = at_acme.ok("user", "create", "other@x.example", "--name", "Otto", "--unverified", "--json").json
    assert (made["email"], made["name"], made["verified"]) == ("other@x.example", "Otto", False)
    assert at_acme.fails("user", "create", "NEW@x.example") == "there is a user NEW@x.example already"
    assert "other@x.example       Otto     no" in at_acme.ok("user", "list").lines
    assert len(at_acme.ok("user", "list", "--json").json) == 5


def test_a_user_is_shown_with_roles_teams_and_tokens(at_acme: Shell) -> None:
    told = at_acme.ok("user", "show", "bob@bright.example").out
    for part in ("bob@bright.example  Bob", "acme     member  Bright Roofing", "a test's", "\nverified\n"):
        assert part in told
    shown = at_acme.ok("user", "show", "bob@bright.example", "--json").json
    assert shown["accounts"] == {"acme": {"role": "member", "teams": ["Bright Roofing"]}}
    assert len(shown["tokens"]) == 2
    assert "did you mean bob@bright.example?" in at_acme.fails("user", "show", "bob@bright")


def test_a_user_gets_a_role_and_the_last_owner_keeps_his(at_acme: Shell) -> None:
    role = ("user", "role", "bob@bright.example", "--account", "acme", "--role")
    assert at_acme.ok(*role, "owner").lines == ["~ account acme: bob@bright.example is owner"]
    at_acme.ok("user", "role", "ada@acme.example", "--account", "acme", "--role", "manager")
    assert at_acme.fails(*role, "member").startswith("bob@bright.example is the last owner of acme")


def test_a_link_for_a_new_password_names_the_address_that_people_use(
    at_acme: Shell, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = at_acme.ok("user", "reset-link", "ada@acme.example").lines
    assert told[0].startswith("http://localhost:8080/reset/")
    assert "RINGBACK_PUBLIC_URL" in told[2]
    monkeypatch.setenv("RINGBACK_PUBLIC_URL", "https://calls.acme.example/")
    link, about = at_acme.ok("user", "reset-link", "ada@acme.example").lines
    assert link.startswith("https://calls.acme.example/reset/")
    assert about.startswith("Give it to ada@acme.example only")
    with world.database.read() as tx:
        assert people.find_link(tx, LinkKind.RESET, link.rsplit("/", 1)[1], clock.now()).user_id == world.ada


def test_teams_are_listed(at_acme: Shell) -> None:
    assert at_acme.ok("team", "list", "--account", "acme").lines[1].split("  ")[:3] == [
        "Bright Roofing",
        "bob@bright.example",
        "Bright Roofing",
    ]
    shown = at_acme.ok("team", "list", "--account", "acme", "--json").json[0]
    assert (shown["name"], shown["developer_api"], shown["buyers"]) == ("Bright Roofing", True, ["Bright Roofing"])
    assert "contact_fields" in shown["update"]
    assert at_acme.ok("team", "list", "--account", "zeta").lines == ["There is no team yet."]


def test_rights_are_taken_and_given_back(at_acme: Shell) -> None:
    team = ("--account", "acme", "--team", "Bright Roofing")
    assert at_acme.ok("team", "revoke", *team, "--update", "TS Payout", "--developer-api").lines == [
        "~ team Bright Roofing in acme: Enable Developer API Access turned off",
        "~ team Bright Roofing in acme: Update on TS Payout removed",
    ]
    given = ("--update", "payout", "--read", "revenue", "--user", "ada@acme.example", "--buyer", "bright roofing")
    assert at_acme.ok("team", "grant", *team, *given, "--developer-api").lines == [
        "~ team Bright Roofing in acme: user ada@acme.example added",
        "~ team Bright Roofing in acme: Enable Developer API Access turned on",
        "~ team Bright Roofing in acme: Update on TS Payout added",
    ]
    assert at_acme.ok("team", "grant", *team, "--update", "payout").lines == ["It is so already; nothing changed."]
    assert "did you mean payout?" in at_acme.fails("team", "grant", *team, "--update", "payouts")
    assert "did you mean Bright Roofing?" in at_acme.fails("team", "grant", "--account", "acme", "--team", "Bright")
