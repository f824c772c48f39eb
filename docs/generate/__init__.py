"""The reference pages of the documentation, made of the code's own tables: ``make docs`` writes them.

Each page is a function without arguments that returns its text; ``PAGES`` names their files in ``docs/reference``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from docs.generate import api, apply_file, codes, commands, openapi, tables

FOLDER = Path(__file__).parents[1] / "reference"
"""Where the pages are."""

PAGES: Mapping[str, Callable[[], str]] = {
    "api.md": api.page,
    "cli.md": commands.page,
    "apply-file.md": apply_file.page,
    "settings.md": tables.settings,
    "attributes.md": tables.attributes,
    "errors.md": codes.page,
    "template-tokens.md": tables.template_tokens,
    "openapi.json": openapi.page,
    "ringback.postman_collection.json": openapi.collection,
    "ringback.postman_environment.json": openapi.environment,
}
"""The pages, by file name; of the API also as programs read it."""

NOTE = "<!-- Made of the code by `make docs`. Don't edit it here: change the code, and run that. -->\n\n"
"""What every page of Markdown begins with."""


def made() -> Mapping[str, str]:
    """The text of each page, by file name."""
    return {name: (NOTE if name.endswith(".md") else "") + page() for name, page in PAGES.items()}
