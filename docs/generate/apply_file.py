"""The page of the apply file: its tables, their keys, and a complete example."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from docs.generate.markdown import block, code, codes, table
from ringback.domain.attributes import UPDATABLE
from ringback.domain.conditions import OPERATORS
from ringback.domain.declared_keys import OF_A_NEW_ONE, REQUIRED, TABLES, Key
from ringback.domain.postbacks import TRIGGER_LABELS

_BEGINNING = """# The apply file

What `ringback apply FILE` reads, as [TOML](https://toml.io). `ringback apply --dry-run FILE` says what it would change.

- What the file names is made, or changed where it differs. Applying it twice changes nothing more.
- What it doesn't name stays as it is; nothing is ever deleted. A key that is left out is left alone, but for those of a
  postback, which the file says whole.
- A list in brackets is the whole list: `users = []` empties a team.
- A file with a mistake is refused whole, with the line and the reason.

Each table below is written in double brackets, as `[[accounts.buyers]]`, below the `[[accounts]]` that it belongs to.
*Default* is what something new has where the key is left out. A new account needs `name` and `owners`; of one that is
there, `subdomain` is enough.

"""
EXAMPLE = """\
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
payout = "60%"                 # of the revenue; or an amount, as "9.00"
token = "roofing-2026"

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
update = ["buyer_converted", "revenue", "offer_converted", "payout", "contact_fields"]
read = ["disposition"]

[[accounts.credentials]]
name = "TrackDrive"
host = "*.trackdrive.com"
basic = { env = "TRACKDRIVE_BASIC" }    # public key:private key, or the base64 of it

[[accounts.postbacks]]
name = "Tell the traffic source"
trigger = "buyer_converted"
traffic_source = "Search Co"
url = "https://[trackdrive_subdomain].trackdrive.com/api/v1/calls/update_call/[trackdrive_call_uuid]"
allowed_hosts = ["*.trackdrive.com"]
credential = "by host"
body = { buyer_converted = "true", revenue = "[payout]", offer_converted = "true", post_call_tokens = {} }
conditions = [{ field = "trackdrive_call_uuid", operator = "exists" }]
timeout = 15

[[accounts]]
subdomain = "bright"
name = "Bright Roofing"
owners = ["ops@bright.example"]
"""
"""A file that declares something of everything."""


def page() -> str:
    """The page."""
    return (
        "\n".join((_BEGINNING.rstrip(), "", "## A complete example", "", block(EXAMPLE, "toml"), *_sections())).rstrip()
        + "\n"
    )


def _sections() -> Iterable[str]:
    for name, keys in TABLES.items():
        yield f"\n## {name}\n\n"
        if name == "accounts.postbacks.conditions":
            yield "Rows that must all hold; also written as `conditions = [{ … }]`.\n\n"
        yield _keys(keys)
        yield from _words(name)


def _keys(keys: Sequence[Key]) -> str:
    rows = [(code(key.name), key.meaning, key.type, _usual(key)) for key in keys]
    return table(("Key", "Is", "Type", "Default"), rows)


def _usual(key: Key) -> str:
    return f"**{key.usual}**" if key.usual in {REQUIRED, OF_A_NEW_ONE} else key.usual


def _words(name: str) -> Iterable[str]:
    """What may stand in a table beside names that its author chose."""
    if name == "accounts.teams":
        names = codes(each.name for each in UPDATABLE)
        yield f"\n[Attributes](attributes.md), by name or label: {names}\n"
    if name == "accounts.postbacks":
        yield "\nTokens are those of [Template tokens](template-tokens.md).\n\n"
        yield table(("Trigger", "Happens when"), [(code(each), label) for each, label in TRIGGER_LABELS.items()])
    if name == "accounts.postbacks.conditions":
        yield "\n" + table(("Operator", "Reads"), [(code(each), label) for each, label in OPERATORS.items()])
