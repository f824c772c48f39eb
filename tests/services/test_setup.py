from __future__ import annotations

from textwrap import dedent
from typing import Any

import pytest

from ringback import clock, entropy
from ringback.domain.access import Level, Role
from ringback.domain.declarations import read_declarations
from ringback.domain.tomltext import SpoiledError
from ringback.services import setup
from ringback.store import accounts, partners, teams
from ringback.store.engine import Database
from tests.world import World

FILE = """\
[[users]]
email = "ops@bright.example"
name = "Olive Ops"

[[accounts]]
subdomain = "acme"
name = "Acme Media"
time_zone = "America/New_York"
owners = ["ada@acme.example"]

[[accounts.offers]]
name = "Roofing"
payout = "60%"

[[accounts.traffic_sources]]
name = "Search Co"

[[accounts.buyers]]
name = "Bright Roofing"
revenue = "42.00"

[[accounts.teams]]
name = "Bright Roofing"
users = ["ops@bright.example", "new@bright.example"]
developer_api = true
buyers = ["Bright Roofing"]
update = ["buyer_converted", "revenue"]
"""


TEAM = [
    "user ops@bright.example added",
    "user new@bright.example added",
    "buyer Bright Roofing added",
    "Enable Developer API Access turned on",
    "Update on Buyer Converted?, Buyer Revenue added",
]
"""What is new about the team of this file."""


def apply(database: Database, text: str, *, dry_run: bool = False) -> list[str]:
    with database.write() as tx:
        declared = read_declarations(dedent(text))
        return setup.apply(tx, declared, now=clock.now(), new_id=entropy.new_id, dry_run=dry_run)


def everything(database: Database) -> dict[str, Any]:
    """All that a file can declare, as it is in the database."""
    with database.read() as tx:
        return {
            "users": accounts.list_users(tx),
            "accounts": {
                account: (
                    accounts.list_roles(tx, account.id),
                    {noun: partners.list_partners(tx, account.id, noun) for noun in partners.NOUNS},
                    teams.list_teams(tx, account.id),
                )
                for account in accounts.list_accounts(tx)
            },
        }


def test_a_file_makes_what_it_declares_and_says_so(database: Database) -> None:
    assert apply(database, FILE) == [
        "+ user ops@bright.example (not verified)",
        "+ account acme (Acme Media)",
        "+ user ada@acme.example",
        "~ account acme: ada@acme.example is owner",
        "+ offer Roofing in acme: payout 60%",
        "+ traffic source Search Co in acme",
        "+ buyer Bright Roofing in acme: revenue 42.00",
        "+ user new@bright.example (not verified)",
        f"+ team Bright Roofing in acme: {', '.join(TEAM)}",
    ]
    with database.read() as tx:
        account = accounts.find_account(tx, "acme")
        assert account is not None
        ada, ops = accounts.find_user(tx, "ada@acme.example"), accounts.find_user(tx, "ops@bright.example")
        assert ada is not None
        assert ops is not None
        team = teams.list_teams(tx, account.id)[0]
        roles = accounts.list_roles(tx, account.id)
    assert (account.name, account.time_zone) == ("Acme Media", "America/New_York")
    assert (ada.verified, ops.verified, ops.name) == (True, False, "Olive Ops")
    assert (roles[ada.id], roles[ops.id]) == (Role.OWNER, Role.MEMBER)
    assert (team.developer_api, team.every_buyer, team.records_calls) == (True, False, False)
    assert team.rights == {"buyer_converted": Level.UPDATE, "revenue": Level.UPDATE}


def test_twice_changes_nothing_the_second_time(database: Database) -> None:
    apply(database, FILE)
    before = everything(database)
    assert apply(database, FILE) == []
    assert everything(database) == before


def test_a_dry_run_says_the_same_and_changes_nothing(database: Database) -> None:
    before = everything(database)
    said = apply(database, FILE, dry_run=True)
    assert everything(database) == before
    assert apply(database, FILE) == said


def test_other_spellings_of_the_same_names_are_the_same_things(database: Database) -> None:
    apply(database, FILE)
    other = FILE.replace('["Bright Roofing"]', '["BRIGHT roofing"]').replace("ada@acme", "ADA@Acme")
    assert apply(database, other) == []
    assert apply(database, FILE.replace('name = "Bright Roofing"', 'name = "BRIGHT Roofing"')) == [
        "~ buyer BRIGHT Roofing in acme: name BRIGHT Roofing",
        "~ team BRIGHT Roofing in acme: name BRIGHT Roofing",
    ]


def account_with(text: str) -> str:
    return f'[[accounts]]\nsubdomain = "acme"\n{dedent(text)}'


CHANGES = [
    ('name = "Acme Group"', ["~ account acme: name Acme Group"]),
    ('time_zone = "UTC"', ["~ account acme: time zone UTC"]),
    ("reads_auth_token = false", ["~ account acme: auth_token is not read"]),
    ("keeps_unknown_fields = true", ["~ account acme: unknown fields are kept"]),
    ('[[accounts.buyers]]\nname = "Bright Roofing"\nrevenue = 43.5', ["~ buyer Bright Roofing in acme: revenue 43.50"]),
    ('[[accounts.offers]]\nname = "Roofing"\npayout = 9', ["~ offer Roofing in acme: payout 9.00"]),
    ('[[accounts.buyers]]\nname = "Bright Roofing"', []),
    ('[[accounts.offers]]\nname = "roofing 2"', ["+ offer roofing 2 in acme"]),
    (
        '[[accounts.teams]]\nname = "Bright Roofing"\nupdate = ["revenue", "payout"]\nread = ["contact_fields"]',
        [
            "~ team Bright Roofing in acme: Update on Buyer Converted? removed",
            "~ team Bright Roofing in acme: Update on TS Payout added",
            "~ team Bright Roofing in acme: Read on Contact Fields added",
        ],
    ),
    (
        '[[accounts.teams]]\nname = "Bright Roofing"\nupdate = ["Buyer Converted?"]\nread = ["Buyer Revenue"]',
        ["~ team Bright Roofing in acme: Update on Buyer Revenue removed, Read left"],
    ),
    (
        '[[accounts.teams]]\nname = "Bright Roofing"\nusers = ["ops@bright.example"]',
        ["~ team Bright Roofing in acme: user new@bright.example removed"],
    ),
    ('[[accounts.teams]]\nname = "Bright Roofing"\nusers = []', [
        "~ team Bright Roofing in acme: user ops@bright.example removed",
        "~ team Bright Roofing in acme: user new@bright.example removed",
    ]),
    (
        '[[accounts.teams]]\nname = "Bright Roofing"\nbuyers = "every"',
        ["~ team Bright Roofing in acme: every buyer shown"],
    ),
    ('[[accounts.teams]]\nname = "Bright Roofing"\nbuyers = []', [
        "~ team Bright Roofing in acme: buyer Bright Roofing removed",
    ]),
    (
        '[[accounts.teams]]\nname = "Bright Roofing"\ndeveloper_api = false\nrecord_calls = true',
        [
            "~ team Bright Roofing in acme: Enable Developer API Access turned off",
            "~ team Bright Roofing in acme: Record calls turned on",
        ],
    ),
    ('[[accounts.teams]]\nname = "Bright Roofing"', []),
    ('[[accounts.teams]]\nname = "Two"', ["+ team Two in acme: every buyer shown"]),
    ('[[accounts.teams]]\nname = "Two"\nbuyers = []', ["+ team Two in acme"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said"), CHANGES, ids=[text.replace("\n", " ")[:60] for text, _ in CHANGES])
def test_what_is_declared_changes_and_the_rest_stays(database: Database, text: str, said: list[str]) -> None:
    apply(database, FILE)
    before = everything(database)
    assert apply(database, account_with(text)) == said
    assert apply(database, account_with(text)) == []
    assert (everything(database) == before) is (not said)


def test_a_team_of_every_buyer_can_be_limited(database: Database) -> None:
    apply(database, FILE.replace('buyers = ["Bright Roofing"]\n', ""))
    limited = account_with('[[accounts.teams]]\nname = "Bright Roofing"\nbuyers = ["Bright Roofing"]')
    assert apply(database, limited) == [
        "~ team Bright Roofing in acme: limited to its buyers",
        "~ team Bright Roofing in acme: buyer Bright Roofing added",
    ]


def test_a_team_may_see_a_buyer_that_was_there_before(world: World) -> None:
    text = account_with('[[accounts.teams]]\nname = "Other"\nbuyers = ["bright roofing"]')
    assert apply(world.database, text) == ["+ team Other in acme: buyer Bright Roofing added"]


def test_the_owners_that_are_declared_are_all_there_are(database: Database) -> None:
    apply(database, FILE)
    text = account_with('owners = ["bea@acme.example"]\nmanagers = ["ada@acme.example"]')
    assert apply(database, text) == [
        "+ user bea@acme.example",
        "~ account acme: ada@acme.example is manager",
        "~ account acme: bea@acme.example is owner",
    ]
    assert apply(database, account_with("managers = []")) == ["~ account acme: ada@acme.example is member"]


def test_the_last_owner_stays(database: Database) -> None:
    apply(database, FILE)
    with pytest.raises(SpoiledError, match="line 3: acme would be left without an owner"):
        apply(database, account_with('managers = ["ada@acme.example"]'))


def test_who_owns_a_declared_account_is_verified_and_nobody_else(database: Database) -> None:
    apply(database, FILE)
    assert apply(database, '[[accounts]]\nsubdomain = "bright"\nname = "Bright"\nowners = ["ops@bright.example"]') == [
        "+ account bright (Bright)",
        "~ user ops@bright.example: verified",
        "~ account bright: ops@bright.example is owner",
    ]
    assert apply(database, '[[users]]\nemail = "new@bright.example"\nverified = true') == [
        "~ user new@bright.example: verified"
    ]
    assert apply(database, '[[users]]\nemail = "new@bright.example"\nname = "Ned"\nverified = false') == [
        "~ user new@bright.example: name Ned",
        "~ user new@bright.example: not verified any more",
    ]
    owner = '[[users]]\nemail = "ada@acme.example"\nverified = false\n'
    assert apply(database, owner + account_with('owners = ["ada@acme.example"]')) == []


def test_nothing_declared_is_nothing_done(database: Database) -> None:
    assert apply(database, "") == []


SPOILT = [
    (
        'buyers = ["Bright Roofing"]',
        'buyers = ["Brigth Roofing"]',
        26,
        "acme has no buyer Brigth Roofing; did you mean Bright",
    ),
    ('buyers = ["Bright Roofing"]', 'buyers = [\n"Bright Roofing",\n"Zeta"]', 28, "acme has no buyer Zeta"),
    ('name = "Acme Media"\n', "", 6, "the new account acme needs name"),
    ('owners = ["ada@acme.example"]\n', "", 6, "the new account acme needs owners"),
    (
        'name = "Acme Media"\ntime_zone = "America/New_York"\nowners = ["ada@acme.example"]\n',
        "",
        6,
        "the new account acme needs name and owners",
    ),
]


@pytest.mark.parametrize(("good", "bad", "line", "reason"), SPOILT, ids=[each[3] for each in SPOILT])
def test_a_spoilt_file_is_refused_whole(database: Database, good: str, bad: str, line: int, reason: str) -> None:
    before = everything(database)
    with pytest.raises(SpoiledError) as caught:
        apply(database, FILE.replace(good, bad))
    assert reason in caught.value.reason
    assert caught.value.line == line
    assert everything(database) == before
