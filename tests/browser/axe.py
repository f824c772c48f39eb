"""What axe-core finds on a page: what keeps people from reading or using it."""

from __future__ import annotations

from importlib.resources import files

from playwright.sync_api import Page

SCRIPT = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
GRAVE = ("serious", "critical")
OF_COLOUR = ("color-contrast", "link-in-text-block")
"""What may differ between light and dark."""

RUN = """async (rules) => {
    const options = { resultTypes: ["violations"], ...(rules && { runOnly: { type: "rule", values: rules } }) };
    const { violations } = await axe.run(document, options);
    return violations.flatMap(({ id, impact, nodes }) =>
        nodes.map(({ html, failureSummary }) => [impact, `${id}: ${html.slice(0, 200)}: ${failureSummary}`]));
}"""
THEME = "scheme => { if (document.documentElement.dataset.bsTheme) document.documentElement.dataset.bsTheme = scheme }"


def grave_findings(page: Page) -> list[str]:
    """What is serious or critical on the page that is shown, in light and in dark."""
    page.evaluate(SCRIPT)
    found = _found(page, None)
    page.emulate_media(color_scheme="dark")
    page.evaluate(THEME, "dark")
    found += [f"in dark, {finding}" for finding in _found(page, OF_COLOUR)]
    page.emulate_media(color_scheme="light")
    page.evaluate(THEME, "light")
    return found


def _found(page: Page, rules: tuple[str, ...] | None) -> list[str]:
    return [f"{page.url}: {finding}" for impact, finding in page.evaluate(RUN, rules) if impact in GRAVE]
