"""The page of every code: of answers, of warnings, of deliveries."""

from __future__ import annotations

from docs.generate.markdown import code, prose, table
from ringback.api.docs import STATUSES
from ringback.api.examples import sample
from ringback.domain.deliveries import MEANINGS
from ringback.domain.errors import CODES, ON_PAGES
from ringback.domain.templates import REASONS
from ringback.domain.updates import WARNINGS
from ringback.domain.waiting import HELD, LIFETIME

_TOP = """# Codes

The `code` of an answer never changes its meaning; the sentences may. What stands in them here is an example. An update
that is *kept* waits, and can be applied once the reason is gone.

"""
_WARNINGS = """
## Warnings

What was done although something was odd stands under `warnings`, each with its code; in braces is what differs from
one to the next.

"""
_DELIVERIES = """
## Deliveries

Why a delivery stands as it does (`ringback deliveries list`, Deliveries in the console).

"""
_HELD = "It is held, and nothing was sent."


def page() -> str:
    """The page."""
    statuses = sorted({each.status for each in CODES.values()})
    return (
        _TOP
        + "\n".join(f"## {status}: {STATUSES[status]}\n\n{_answers(status)}" for status in statuses)
        + _WARNINGS
        + table(("Code", "Says"), [(code(name), prose(says)) for name, says in WARNINGS.items()])
        + _DELIVERIES
        + table(
            ("Code", "Says", "What to do"),
            [
                *((code(name), prose(says), _HELD) for name, says in REASONS.items()),
                *((code(name), prose(says), prose(do)) for name, (says, do) in MEANINGS.items()),
            ],
        )
    )


def _answers(status: int) -> str:
    rows = []
    for name, answer in CODES.items():
        if answer.status == status:
            refusal = sample(name)
            kept = f"{LIFETIME[HELD[name]].days} days" if name in HELD else ""
            only = "On pages of the console. " if name in ON_PAGES else ""
            # A link of the API's page leads to its name.
            rows.append((f'<a id="{name}"></a>{code(name)}', only + prose(refusal.title), prose(refusal.hint), kept))
    return table(("Code", "Says", "What to do", "Kept"), rows)
