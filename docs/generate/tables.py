"""The pages that are one or two tables: settings, attributes, template tokens."""

from __future__ import annotations

from docs.generate.markdown import code, codes, prose, table
from ringback.api.schemas import values_of
from ringback.domain.attributes import UPDATABLE
from ringback.domain.template_tokens import FIELD, PARTNER_FIELDS, TOKENS
from ringback.domain.unreplaced import PLATFORMS
from ringback.settings import PREFIX, Settings

_SETTINGS = """# Settings

In the environment, or in a file `.env` where the program starts; each also with `_FILE` behind its name, which then
names a file that holds the value. A name that begins with `RINGBACK_` and is none of these is an error.
`ringback config` shows each with its value and where that comes from.

"""
_ATTRIBUTES = """# Attributes

What of a call can be updated. Each has a right of its own, which a team has or hasn't: none, Read or Update.

"""
_TOKENS = """# Template tokens

What a postback can name in its URL, headers, body and conditions: `[payout]`, or with a default `[payout]{0}`. Capitals
don't count. A token without a value holds the delivery until the call has one, unless the postback says otherwise;
`[[name]` is the text `[name]`. How a value is written follows from its place:
[the way of a delivery](../explanation/the-way-of-a-delivery.md).

"""
_FIELDS = f"""
## Contact fields

Any contact field of the account's calls, by its name or as `{FIELD}name`; these can be named before a call has them:

"""
_FOREIGN = """
## Tokens of other platforms

They are recognised in what arrives (a revenue of `{payout}` is refused, not recorded as nothing), and a postback with
tokens that Ringback would send as they stand says so and offers to convert them.

"""
_EXAMPLES = {
    "Ringba": "[Call:ConversionPayout]",
    "TrackDrive": "[trackdrive_call_uuid]",
    "Postman, n8n or Zapier": "{{payout}}",
    "JavaScript": "${payout}",
    "Everflow or TUNE": "{payout}",
    "CAKE": "#price#",
    "ViciDial": "--A--phone_number--B--",
}


def settings() -> str:
    """Every setting."""
    rows = [
        (code(f"{PREFIX}{name}".upper()), prose(field.description or ""), _default(field.default))
        for name, field in Settings.model_fields.items()
    ]
    return _SETTINGS + table(("Setting", "", "Default"), rows)


def _default(value: object) -> str:
    return "" if value == "" else code(str(value).lower() if isinstance(value, bool) else value)


def attributes() -> str:
    """Every attribute."""
    return _ATTRIBUTES + "\n".join(
        f"## {each.label}\n\n{prose(values_of(each))}\n\n"
        + table(
            ("Name", "Set by", "Added to by", "Read as", "Events"),
            [(code(each.name), codes(each.sets), codes(each.adds), codes(each.reads), codes(each.events))],
        )
        for each in UPDATABLE
    )


def template_tokens() -> str:
    """Every template token."""
    rows = [(code(f"[{each.name}]"), each.label, each.kind, code(each.sample), _named(each.aliases)) for each in TOKENS]
    return (
        _TOKENS
        + table(("Token", "Is", "Kind", "For example", "Also written"), rows)
        + _FIELDS
        + table(("Token", "Is"), [(code(f"[{name}]"), label) for name, label in PARTNER_FIELDS.items()])
        + _FOREIGN
        + table(("Looks like", "Is written by"), [(code(_EXAMPLES[name]), name) for name, _ in PLATFORMS])
    )


def _named(aliases: tuple[str, ...]) -> str:
    return codes(f"[{alias}]" for alias in aliases)
