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

document.addEventListener("htmx:configRequest", (event) => { event.detail.headers["X-CSRFToken"] = token; });

for (const body of document.querySelectorAll("tbody")) {
  const first = body.querySelector("tr[data-href]");
  if (first) { for (const row of body.querySelectorAll("tr[data-href]")) row.tabIndex = -1; first.tabIndex = 0; }
}
