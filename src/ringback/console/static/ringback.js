// What pages can do beyond showing: theme, copy buttons, keyboard, menus. Nothing here is needed to read.
"use strict";

const root = document.documentElement;

function toggleTheme() {
  const next = root.dataset.bsTheme === "dark" ? "light" : "dark";
  root.dataset.bsTheme = next;
  localStorage.setItem("ringback-theme", next);
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  const text = source.value ?? source.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without a secure origin there is no clipboard: select the text, so that the keys can copy it.
    getSelection().selectAllChildren(source);
    return;
  }
  const label = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = label; }, 1500);
}

function isTyping(event) {
  return event.target.closest("input, textarea, select, [contenteditable]") || event.ctrlKey || event.metaKey || event.altKey;
}

function moveInList(step) {
  const rows = [...document.querySelectorAll("[data-row] a[data-open]")];
  if (!rows.length) return;
  const at = rows.indexOf(document.activeElement);
  rows[Math.min(rows.length - 1, Math.max(0, at + step))].focus();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy], [data-theme-toggle]");
  if (button?.dataset.copy) copy(button);
  else if (button) toggleTheme();
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});

// A preset fills in the radio buttons itself; without this the server fills them in.
document.addEventListener("click", (event) => {
  const preset = event.target.closest("button[data-preset]");
  if (!preset) return;
  event.preventDefault();
  const chosen = [...preset.form.elements].filter((each) => each.dataset.preset === preset.dataset.preset);
  for (const radio of chosen) radio.checked = true;
  chosen[0]?.dispatchEvent(new Event("change", { bubbles: true }));
});

// Enter in a field that has a button of its own presses that one, not the first of the form.
document.addEventListener("keydown", (event) => {
  const button = event.key === "Enter" && document.getElementById(event.target.dataset?.enter);
  if (!button) return;
  event.preventDefault();
  button.click();
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  const question = form.dataset.confirm;
  if (question && !confirm(question)) {
    event.preventDefault();
    return;
  }
  // The answer to a second click would take the place of the first, which shows what is shown only once.
  if (form.elements.once && form.dataset.sent) event.preventDefault();
  form.dataset.sent = "1";
});

window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const menu = document.querySelector("details.menu[open]");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
    document.querySelector("dialog[open]")?.close();
    return;
  }
  if (isTyping(event)) return;
  if (event.key === "/") {
    const search = document.querySelector("[data-search]");
    if (search) {
      search.closest("details")?.setAttribute("open", "");
      search.focus();
      event.preventDefault();
    }
  } else if (event.key === "?") document.getElementById("keys")?.showModal();
  else if (event.key === "j") moveInList(1);
  else if (event.key === "k") moveInList(-1);
});

for (const button of document.querySelectorAll("[data-no-js]")) button.hidden = true;
for (const button of document.querySelectorAll("[data-copy], [data-theme-toggle]")) button.hidden = false;

// Lines that came or changed since take the place of those of the list; what is in use, or is right already, stays.
function takeOverLines(list, template) {
  const fresh = template.content;
  const last = template.dataset.whole === "all" ? "" : fresh.lastElementChild?.id ?? "";
  for (const row of [...list.rows]) {
    if (row.id >= last && !row.matches(":focus-within") && !fresh.getElementById(row.id)) row.remove();
  }
  for (const row of [...fresh.children]) {
    const there = document.getElementById(row.id);
    if (!there) list.insertBefore(row, [...list.rows].find((each) => each.id < row.id) ?? null);
    else if (!there.matches(":focus-within")) there.replaceWith(row);
  }
}

// Updates that came since go on top of the list. Who reads further down, or points at a line, keeps it where it is.
function takeOverNews() {
  const list = document.getElementById("lines");
  const news = document.querySelector("#news template");
  const isAtTop = scrollY === 0;
  const isWhole = news?.hasAttribute("data-whole");
  if (!list || !news || ((isAtTop || isWhole) && list.matches(":hover"))) return;
  const line = [...list.rows].find((row) => row.getBoundingClientRect().bottom > 0) ?? list;
  const place = line.getBoundingClientRect().top;
  if (isWhole) takeOverLines(list, news);
  else for (const row of [...news.content.children].reverse()) {
    if (!document.getElementById(row.id)) list.insertBefore(row, [...list.rows].find((each) => each.id < row.id) ?? null);
  }
  const same = line.isConnected ? line : document.getElementById(line.id);
  if (!isAtTop && same) scrollBy({ top: same.getBoundingClientRect().top - place, behavior: "instant" });
  news.previousElementSibling.classList.toggle("visually-hidden", isAtTop || isWhole);
  news.remove();
}

document.addEventListener("htmx:after:swap", takeOverNews);
document.getElementById("lines")?.addEventListener("pointerleave", takeOverNews);

// A list that nobody looks at is not asked for news.
document.addEventListener("htmx:before:request", (event) => {
  if (document.hidden && event.target.hasAttribute("data-live")) event.preventDefault();
});
