"""``python -m docs.generate``: write the reference pages."""

from __future__ import annotations

from docs.generate import FOLDER, made

FOLDER.mkdir(exist_ok=True)
for name, text in made().items():
    (FOLDER / name).write_text(text, encoding="utf-8")
