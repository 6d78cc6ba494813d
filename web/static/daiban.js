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

/* What was typed outlives a refusal: kept while a form is on its way, put back where the next page says no, then gone. */
const TYPED = "typed";
const OF_THE_MOMENT = ["csrf_token", "client_id", "version"];
const secret = (form) => form.querySelector("input[type=password], input[autocomplete=one-time-code]");
const named = (form) => [...form.elements].filter((field) => field.name && !field.matches("input[type=hidden], input[type=file], button"));
const formKey = (form) => JSON.stringify([form.getAttribute("action"), ...[...form.querySelectorAll("input[type=hidden]")].filter((field) => !OF_THE_MOMENT.includes(field.name)).map((field) => [field.name, field.value])]);
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || secret(form) || document.body.classList.contains("phone")) return; // a phone has a store of its own, sealed
  try { sessionStorage.setItem(TYPED, JSON.stringify({ form: formKey(form), fields: named(form).map((field) => [field.name, field.value, field.checked]) })); } catch { /* too much, or not allowed: the page works without */ }
});
function putBack() {
  let kept = null;
  try { kept = JSON.parse(sessionStorage.getItem(TYPED)); sessionStorage.removeItem(TYPED); } catch { return; }
  if (!kept || !document.querySelector("main .notice.bad")) return;
  const form = [...document.forms].find((one) => formKey(one) === kept.form);
  if (!form) return;
  named(form).forEach((field, n) => {
    const [name, value, checked] = kept.fields[n] ?? [];
    if (name !== field.name) return;
    if (field.matches("input[type=checkbox], input[type=radio]")) field.checked = checked;
    else field.value = value;
  });
  for (let fold = form.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  for (const fold of form.querySelectorAll("details")) if (named(form).some((field) => fold.contains(field) && field.value && field.type !== "checkbox")) fold.open = true;
}
putBack();

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
