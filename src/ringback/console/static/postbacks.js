// The editor of a postback: template tokens are searched, and put where somebody last wrote. All of it can be typed, too.
"use strict";

const picker = document.getElementById("picker");
const search = document.getElementById("picker-search");
let written = document.getElementById("f-body");

function showMatches() {
  const wanted = search.value.trim().toLowerCase();
  for (const row of picker.querySelectorAll("[data-pick]")) row.hidden = !row.dataset.pick.includes(wanted);
  for (const button of picker.querySelectorAll("[data-token]")) button.disabled = false;
}

// Going past a field with Tab is not writing in it.
for (const kind of ["input", "click", "keydown"]) {
  document.addEventListener(kind, (event) => {
    if (event.target.matches("[data-template]") && !["Tab", "Shift"].includes(event.key)) written = event.target;
  });
}

picker.addEventListener("click", (event) => {
  const button = event.target.closest("[data-token]");
  if (!button) return;
  written.focus();
  written.setRangeText(button.dataset.token, written.selectionStart, written.selectionEnd, "end");
  written.dispatchEvent(new Event("input", { bubbles: true }));
});

search.addEventListener("input", (event) => {
  event.stopPropagation();  // it is no part of the postback
  showMatches();
});
search.addEventListener("keydown", (event) => {
  if (event.key === "Enter") event.preventDefault();
});
document.addEventListener("htmx:after:swap", showMatches);

search.hidden = false;
document.getElementById("picker-way").hidden = false;
showMatches();
