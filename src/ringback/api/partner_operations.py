"""The operations on buyers, traffic sources and offers, the same for each kind, and on outgoing webhooks."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ringback.api.lists import LISTING
from ringback.api.operation import DRY, KNOWN, TEAM, Body, Operation, Success

PARTNERING, POSTBACKS = "Buyers, traffic sources and offers", "Outgoing webhooks"


@dataclass(frozen=True, slots=True)
class PartnerOperations:
    """What can be done with one kind of partner."""

    list: Operation
    read: Operation
    make: Operation
    change: Operation

    @property
    def all(self) -> tuple[Operation, ...]:
        """All of it."""
        return (self.list, self.read, self.make, self.change)


_CHANGING = KNOWN | {"no_team", "api_access_off", "may_not_change", "invalid_value", "unreplaced_token"}
_CHANGING |= {"conflicting_values", "busy", "unconfirmed"}
_LISTED = (
    "By number, those first that were made first. A path that ends in `.csv`, or `Accept: text/csv`, answers with a "
    "file. "
)


def _of_partners(noun: str, a_partner: str, shown: str, *, hidden: frozenset[str] = frozenset()) -> PartnerOperations:
    """The operations of one kind; ``shown`` says who sees what of it, ``hidden`` are refusals to see it."""
    one, several, name = noun.replace("_", " "), f"{noun.replace('_', ' ')}s", _schema(noun)
    body = Body(f"{name}Form", (f"{noun}_form", f"{noun}_form_nested"))
    filters = tuple(f"partner.{each}" for each in ("fulltext", "paused", "archived", f"user_{noun}_id"))
    return PartnerOperations(
        list=Operation(
            f"list_{noun}s",
            PARTNERING,
            f"List {several}",
            _LISTED + shown,
            (Success(200, f"A page of {several}.", f"{name}List", (f"{noun}_list",), as_csv=True),),
            KNOWN | TEAM | hidden | {"invalid_value", "unreplaced_token", "busy"},
            parameters=(*LISTING, *filters),
        ),
        read=Operation(
            f"read_{noun}",
            PARTNERING,
            f"Read {a_partner}",
            shown,
            (Success(200, f"The {one}.", f"{name}Shown", (f"{noun}_shown",)),),
            KNOWN | TEAM | hidden | {"not_there", "busy"},
        ),
        make=Operation(
            f"make_{noun}",
            PARTNERING,
            f"Make {a_partner}",
            "`name` is all it needs; no two may have the same. The names may also stand together under "
            f"`{noun}`. It takes an owner's or manager's token with the Access Type Everything.",
            (Success(201, "Made.", f"{name}Done", (f"{noun}_made",)),),
            _CHANGING | {"missing_value"},
            parameters=DRY,
            body=replace(body, required=True),
        ),
        change=Operation(
            f"change_{noun}",
            PARTNERING,
            f"Change {a_partner}",
            "What is not named stays as it is; blank or null takes away what was agreed. POST, PUT and PATCH do the "
            "same. It takes an owner's or manager's token with the Access Type Everything.",
            (Success(200, "Done, or already so.", f"{name}Done", (f"{noun}_changed",)),),
            _CHANGING | {"not_there"},
            parameters=DRY,
            body=body,
        ),
    )


def _schema(noun: str) -> str:
    """The name of its schema."""
    return noun.title().replace("_", "")


_MAY_NOT_SEE = frozenset({"may_not_see"})
_OWN_BUSINESS = "Owners and managers see them, with a token of any Access Type."
PARTNERS = {
    "buyer": _of_partners(
        "buyer",
        "a buyer",
        "Owners and managers see every buyer; others those that a team of theirs with API access sees, "
        "without `email`, and with `agreed_revenue` where it may read Buyer Revenue.",
    ),
    "traffic_source": _of_partners("traffic_source", "a traffic source", _OWN_BUSINESS, hidden=_MAY_NOT_SEE),
    "offer": _of_partners("offer", "an offer", _OWN_BUSINESS, hidden=_MAY_NOT_SEE),
}
"""The operations of each kind of partner."""

_OF_POSTBACKS = (
    "It takes an owner's or manager's token with the Access Type Everything. Credentials are named, never told."
)
LIST_WEBHOOKS = Operation(
    "list_outgoing_webhooks",
    POSTBACKS,
    "List outgoing webhooks",
    _LISTED + _OF_POSTBACKS,
    (Success(200, "A page of outgoing webhooks.", "OutgoingWebhookList", ("outgoing_webhook_list",), as_csv=True),),
    KNOWN | TEAM | _MAY_NOT_SEE | {"invalid_value", "unreplaced_token", "busy"},
    parameters=LISTING,
)
READ_WEBHOOK = Operation(
    "read_outgoing_webhook",
    POSTBACKS,
    "Read an outgoing webhook",
    _OF_POSTBACKS,
    (Success(200, "The outgoing webhook.", "OutgoingWebhookShown", ("outgoing_webhook_shown",)),),
    KNOWN | TEAM | _MAY_NOT_SEE | {"not_there", "busy"},
)
