/* What every page gains when scripts run: rows clickable whole, up/down/enter in tables, print buttons, no double sends. */
"use strict";

const token = document.querySelector('meta[name="csrf-token"]')?.content;

function openRow(row, event) {
  if (event.target.closest("a, button, input, select, label, summary")) return;
  const address = row.dataset.href;
  if (event.metaKey || event.ctrlKey) window.open(address, "_blank", "noopener");
  else window.location.href = address;
}

function rowsOf(row) {
  return [...row.closest("tbody").querySelectorAll("tr[data-href]")];
}

function rove(row) {
  for (const other of rowsOf(row)) other.tabIndex = other === row ? 0 : -1;
}

document.addEventListener("click", (event) => {
  const row = event.target.closest("tr[data-href]");
  if (row && !window.getSelection().toString()) openRow(row, event);
  if (event.target.closest("[data-print]")) window.print();
  if (event.target.closest("[data-back]")) { event.preventDefault(); window.history.back(); }
});

document.addEventListener("keydown", (event) => {
  const row = event.target.closest?.("tr[data-href]");
  if (!row || event.target !== row) return;
  const rows = rowsOf(row);
  const next = { ArrowDown: 1, j: 1, ArrowUp: -1, k: -1 }[event.key];
  if (next) {
    event.preventDefault();
    const wanted = rows[rows.indexOf(row) + next];
    if (wanted) { rove(wanted); wanted.focus(); }
  } else if (event.key === "Enter") openRow(row, event);
});

/* A menu of the bar closes when something else is pressed, and by Escape, which gives back its place. */
function closeMenus(kept) {
  for (const menu of document.querySelectorAll(".bar details.menu[open]")) if (menu !== kept) menu.open = false;
}
document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  document.querySelector(".bar details.menu[open] > summary")?.focus();
  closeMenus(null);
});

/* `/` or Ctrl-K: the box that finds anything, unless somebody is typing. */
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  const asked = event.key === "/" ? !typing && !event.ctrlKey && !event.metaKey : event.key === "k" && (event.ctrlKey || event.metaKey);
  if (!asked || event.altKey) return;
  const box = document.getElementById("find");
  const link = document.querySelector("[data-find]");
  if (!box && !link) return;
  event.preventDefault();
  if (box) { box.focus(); box.select(); } else location.assign(link.href);
});

/* The same form is not sent twice by an impatient finger; coming back to the page opens it again. */
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  if (event.submitter) event.submitter.setAttribute("aria-busy", "true");
});
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

/* Whoever signs in here may be somebody else: the pages that a courier's phone keeps are the one's before. */
if (location.pathname.startsWith("/login") && window.caches) {
  document.addEventListener("submit", () => { caches.delete("daiban-run"); });
}

document.addEventListener("htmx:configRequest", (event) => { event.detail.headers["X-CSRFToken"] = token; });

/* A row that is shown as a card says of each cell what its column is called. */
function labelCells() {
  for (const table of document.querySelectorAll(".stack.labelled table")) {
    const heads = [...table.querySelectorAll("thead th")].map((head) => head.textContent.trim());
    for (const row of table.tBodies[0].rows) {
      for (const cell of row.cells) if (cell.cellIndex && heads[cell.cellIndex]) cell.dataset.head = heads[cell.cellIndex];
    }
  }
}
labelCells();
document.addEventListener("htmx:afterSwap", labelCells);

for (const body of document.querySelectorAll("tbody")) {
  const first = body.querySelector("tr[data-href]");
  if (first) { for (const row of body.querySelectorAll("tr[data-href]")) row.tabIndex = -1; first.tabIndex = 0; }
}
