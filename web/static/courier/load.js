/* The load: each envelope is scanned or typed with its check digit; what was scanned survives a reload. */

import { sound } from "./sounds.js";

export function waybillOf(typed) {
  const plain = typed.toUpperCase().replace(/\s/g, "");
  return /^\d{9}$/.test(plain) ? `EA${plain}CN` : plain;
}
export function digitFits(waybill) {
  if (/^\d{13}$/.test(waybill)) return true;
  if (!/^[A-Z]{2}\d{9}[A-Z]{2}$/.test(waybill)) return false;
  const sum = [8, 6, 4, 2, 3, 5, 9, 7].reduce((total, weight, i) => total + weight * Number(waybill[2 + i]), 0);
  const digit = 11 - (sum % 11);
  return Number(waybill[10]) === ({ 10: 0, 11: 5 }[digit] ?? digit);
}

const keptAs = (form) => `daiban-load-${form.elements.run_id.value}`;
const seenIn = (form) => [...form.querySelectorAll("li.seen")].map((item) => item.dataset.waybill);

function mark(form, row) {
  row.classList.add("seen");
  const taken = document.createElement("input");
  taken.type = "hidden"; taken.name = "taken"; taken.value = row.dataset.waybill;
  form.append(taken);
  form.querySelector(".count").textContent = seenIn(form).length;
}

/* One number, typed or read by the camera: match, wrong, twice. */
export function scan(form, typed) {
  const input = form.elements.waybill, line = form.querySelector(".refused");
  const waybill = waybillOf(typed ?? input.value);
  const row = [...form.querySelectorAll("[data-waybill]")].find((item) => item.dataset.waybill === waybill);
  const wrong = !digitFits(waybill) ? line.dataset.digit : !row ? `${waybill} ${line.dataset.wrong}` : "";
  const twice = row?.classList.contains("seen");
  line.hidden = !wrong && !twice;
  line.className = `refused band ${twice ? "warn" : "bad"}`;
  line.textContent = twice ? `${waybill} ${line.dataset.twice}` : wrong;
  if (wrong || twice) { sound(twice ? "twice" : "wrong"); input.select(); return false; }
  mark(form, row);
  try { localStorage.setItem(keptAs(form), JSON.stringify(seenIn(form))); } catch { /* a reload will ask again */ }
  input.value = "";
  if (typed === undefined) input.focus();
  sound("good");
  return true;
}

export function restore() {
  for (const form of document.querySelectorAll("form.load")) {
    let kept = [];
    try { kept = JSON.parse(localStorage.getItem(keptAs(form)) || "[]"); } catch { /* nothing kept */ }
    for (const waybill of kept) {
      const row = [...form.querySelectorAll("[data-waybill]")].find((item) => item.dataset.waybill === waybill);
      if (row && !row.classList.contains("seen")) mark(form, row);
    }
  }
}
