from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from ringback.domain.declarations import read_declarations
from ringback.domain.money import Payout
from ringback.domain.tomltext import SpoiledError

FILE = """\
[[users]]
email = "ops@bright.example"
name = "Olive Ops"

[[accounts]]
subdomain = "acme"
name = "Acme Media"
time_zone = "America/New_York"
owners = ["ada@acme.example"]
managers = ["max@acme.example"]

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
users = ["ops@bright.example"]
developer_api = true
buyers = ["Bright Roofing"]
update = ["buyer_converted", "TS Payout"]
read = ["revenue"]
record_calls = true
"""


def test_everything_that_may_be_declared_is_read() -> None:
    declared = read_declarations(FILE)
    user, account = declared.users[0], declared.accounts[0]
    offer, buyer, team = account.offers[0], account.buyers[0], account.teams[0]
    assert (user.email, user.name, user.verified) == ("ops@bright.example", "Olive Ops", None)
    assert (account.subdomain, account.name, account.time_zone) == ("acme", "Acme Media", "America/New_York")
    assert (account.owners, account.managers) == (("ada@acme.example",), ("max@acme.example",))
    assert (account.reads_auth_token, account.keeps_unknown_fields) == (None, None)
    assert (offer.name, offer.payout) == ("Roofing", Payout(percent=Decimal(60)))
    assert account.traffic_sources[0].name == "Search Co"
    assert (buyer.name, buyer.revenue) == ("Bright Roofing", Decimal("42.00"))
    assert (team.name, team.users, team.buyers) == ("Bright Roofing", ("ops@bright.example",), ("Bright Roofing",))
    assert (team.developer_api, team.records_calls, team.every_buyer) == (True, True, False)
    assert (team.update, team.read) == (("buyer_converted", "payout"), ("revenue",))
    assert declared.owners == {"ada@acme.example"}


def test_what_is_not_named_is_left_open() -> None:
    declared = read_declarations('[[accounts]]\nsubdomain = "acme"\n[[accounts.teams]]\nname = "One"')
    account, team = declared.accounts[0], declared.accounts[0].teams[0]
    assert (account.name, account.time_zone, account.owners, account.managers) == (None, None, None, None)
    assert (team.users, team.buyers, team.every_buyer, team.developer_api) == (None, None, None, None)
    assert (team.records_calls, team.update, team.read) == (None, None, None)
    assert declared.owners == frozenset()


def test_a_team_may_see_every_buyer_by_name() -> None:
    declared = read_declarations(FILE.replace('buyers = ["Bright Roofing"]', 'buyers = "every"'))
    team = declared.accounts[0].teams[0]
    assert (team.every_buyer, team.buyers) == (True, None)


def test_an_empty_file_declares_nothing() -> None:
    declared = read_declarations("# nothing yet\n")
    assert (list(declared.users), list(declared.accounts)) == ([], [])


def test_the_file_of_the_demo_can_be_read() -> None:
    text = (Path(__file__).parents[2] / "src/ringback/cli/samples/demo.toml").read_text()
    subdomains = {account.subdomain for account in read_declarations(text).accounts}
    assert subdomains >= {"acme", "bright", "summit"}


SPOILT = [
    ("[[users]]", "[users]", 1, "users must be written as [[users]]"),
    ("[[users]]", "[[user]]", 1, "there is no key user here; did you mean users?"),
    ('email = "ops@bright.example"\n', "", 1, "a user needs the key email"),
    ("ops@bright.example", "ops@bright", 2, "email: ops@bright is not an e-mail address"),
    ('name = "Olive Ops"', "name = 7", 3, 'name must be text in quotes, as in name = "…"'),
    ('name = "Olive Ops"', "nam = 7", 3, "there is no key nam here; did you mean name?"),
    ('name = "Olive Ops"', "verified = 1", 3, "verified must be true or false, without quotes"),
    ('subdomain = "acme"\n', "", 5, "an account needs the key subdomain"),
    ('"acme"', '"ac me"', 6, "subdomain: ac me is not a subdomain"),
    ("America/New_York", "America/NewYork", 8, "is not a time zone; did you mean America/New_York?"),
    ('owners = ["ada@acme.example"]', "owners = []", 9, "an account needs at least one owner"),
    ('owners = ["ada@acme.example"]', 'owners = "ada@acme.example"', 9, "owners must be a list of texts"),
    ("max@acme.example", "ADA@acme.example", 10, "ADA@acme.example is an owner already"),
    ('payout = "60%"', 'payout = "160%"', 14, "payout: 160% is not a percentage from 0 to 100"),
    ('payout = "60%"', 'payout = "1,25"', 14, "payout: 1,25 is ambiguous"),
    ('payout = "60%"', "payout = 60%", 14, "not TOML"),
    ('payout = "60%"', "revenue = 1", 14, "there is no key revenue here"),
    ('name = "Search Co"', "", 16, "a traffic source needs the key name"),
    ('revenue = "42.00"', "revenue = -42", 21, "revenue: -42 is negative"),
    ('"TS Payout"]', '"payouts"]', 28, "update: payouts is no attribute of a call; did you mean payout?"),
    ('"TS Payout"]', '"Buyer Converted?"]', 28, "Buyer Converted? stands twice in update"),
    ("developer_api = true", 'developer_api = "yes"', 26, "developer_api must be true or false"),
    ('buyers = ["Bright Roofing"]', 'buyers = "all"', 27, "buyers must be a list of texts"),
    ("record_calls", "records_calls", 30, "there is no key records_calls here; did you mean record_calls?"),
]


@pytest.mark.parametrize(("good", "bad", "line", "reason"), SPOILT, ids=[each[3][:50] for each in SPOILT])
def test_a_spoilt_file_is_refused_with_line_and_reason(good: str, bad: str, line: int, reason: str) -> None:
    assert good in FILE
    with pytest.raises(SpoiledError) as caught:
        read_declarations(FILE.replace(good, bad, 1))
    assert reason in caught.value.reason
    assert caught.value.line == line


@pytest.mark.parametrize(
    ("more", "line", "reason"),
    [
        ('[[users]]\nemail = "OPS@bright.example"', 32, "OPS@bright.example is declared twice"),
        ('[[accounts]]\nsubdomain = "Acme"', 32, "acme is declared twice"),
        ('[[accounts.buyers]]\nname = "bright  roofing"', 32, "bright roofing is declared twice"),
        ('[[accounts.offers]]\nname = "ROOFING"', 32, "ROOFING is declared twice"),
    ],
)
def test_what_stands_twice_or_comes_later_is_refused(more: str, line: int, reason: str) -> None:
    with pytest.raises(SpoiledError) as caught:
        read_declarations(f"{FILE}{more}\n")
    assert reason in caught.value.reason
    assert caught.value.line == line
