/* The courier's phone: every act is kept first, then sent once; the run stays readable without signal. */

import * as clock from "./clock.js";
import { restore, scan, waybillOf } from "./load.js";
import { checkPhotos, padOf, proofsOf, readySignatures, signed } from "./proofs.js";
import { Queue, isOpen } from "./queue.js";
import { openScanner } from "./scan.js";
import { run, show, windows } from "./show.js";
import { hideBand, showBand, sound } from "./sounds.js";
import { Store } from "./store.js";
import { newId, say } from "./words.js";

const SEND_EVERY_MS = 5_000;
const REFRESH_EVERY_MS = 60_000;
const TOMORROW_EVERY_MS = 15 * 60_000;
const PATIENCE_MS = 15_000;
const BEHIND_MS = 60_000; // of what nobody waits for
const RUN = "daiban-run";

const chip = document.getElementById("chip");
const meta = (name) => document.querySelector(`meta[name="${name}"]`)?.content ?? "";
const session = { courier: Number(chip?.dataset.courier || 0), token: meta("csrf-token"), program: chip?.dataset.program || "" };
clock.begin(Number(chip?.dataset.offsetMs || 0));
const store = await Store.open(session.courier, chip?.dataset.key);
const queue = new Queue(store, session);

// ---------------------------------------------------------------- the page, and a newer one

/* Which stop is open lives in the address; a swapped page keeps it open. */
function openStop() {
  const page = run();
  if (!page || page.classList.contains("alone")) return;
  const wanted = /^#stop-\d+$/.test(location.hash) ? document.getElementById(location.hash.slice(1)) : null;
  const atQueue = location.hash === "#queue";
  for (const card of page.querySelectorAll(".stop")) card.classList.toggle("open", card === wanted);
  page.classList.toggle("at-stop", Boolean(wanted));
  page.classList.toggle("at-queue", atQueue);
  if (location.hash === "#offline") showBand("warn", say("没有信号，这一页暂时打不开", "No signal: that page cannot be opened now"), null);
  window.scrollTo(0, 0);
  if (wanted) { hideBand(); refill(wanted); wanted.focus({ preventScroll: true }); }
  readySignatures();
}

const typed = (input) => input.value && !["hidden", "checkbox", "radio"].includes(input.type);
const busy = () => Boolean(run()?.querySelector(".stop.open input:checked, .stop.open details[open]:not(.proofs)") || [...(run()?.querySelectorAll(".stop.open input, .stop.open textarea") ?? [])].some(typed) || [...(run()?.querySelectorAll(".stop.open form.act") ?? [])].some(signed));

let isOutdated = false; // the server is of another version than this page
async function refresh() {
  const page = run();
  if (!page || page.classList.contains("alone") || !session.courier) return;
  let answer;
  try { answer = await fetch("/run", { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(PATIENCE_MS) }); } catch { return; }
  if (answer.redirected && answer.url.includes("/login")) { queue.trouble = "login"; return show(queue); }
  if (!answer.ok || !answer.headers.has("X-Keep-Until")) return;
  if (Number(answer.headers.get("X-Courier")) !== session.courier) { await forget(); location.reload(); return; }
  if (answer.headers.get("X-Program") !== session.program) { isOutdated = true; await answer.body?.cancel(); return update(); }
  if (window.caches) await (await caches.open(RUN)).put("/run", answer.clone());
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const content = fresh.getElementById("run");
  if (!content) return;
  session.token = fresh.querySelector('meta[name="csrf-token"]').content;
  for (const field of document.querySelectorAll('input[name="csrf_token"]')) field.value = session.token;
  const photos = new Set((await store.photos()).map((photo) => photo.event));
  for (const act of await store.all()) {
    const isOver = act.state === "taken" || (act.state === "held" && content.querySelector(`[data-report="${act.id}"]:not([data-state="open"])`));
    if (isOver && Date.now() - act.settled > 2000 && !photos.has(act.id)) await store.drop(act);
  }
  if (busy()) return show(queue);
  const at = window.scrollY;
  page.replaceChildren(...content.childNodes);
  const wanted = /^#stop-\d+$/.test(location.hash) ? document.getElementById(location.hash.slice(1)) : null;
  wanted?.classList.add("open");
  page.classList.toggle("at-stop", Boolean(wanted));
  readySignatures();
  window.scrollTo(0, at);
  hideSeen();
  readyPins();
  await show(queue);
}

/* The next working day lies beside today's, for where there is no signal. */
async function keepTomorrow() {
  if (!window.caches || !run() || !session.courier || isOutdated) return;
  const answer = await fetch("/run/tomorrow", { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(BEHIND_MS) }).catch(() => null);
  const isMine = answer?.ok && !answer.redirected && Number(answer.headers.get("X-Courier")) === session.courier;
  if (isMine && answer.headers.get("X-Program") === session.program) await (await caches.open(RUN)).put("/run/tomorrow", answer);
  else await answer?.body?.cancel();
}

/* A new version takes over when nobody is in the middle of an act; a queue that waits is the new version's queue. */
async function update() {
  const registration = await navigator.serviceWorker?.getRegistration("/run");
  if (!registration) return;
  await registration.update().catch(() => {});
  const installing = registration.installing;
  if (installing) await new Promise((done) => installing.addEventListener("statechange", () => { if (installing.state !== "installing") done(); }));
  await takeOver();
}
async function takeOver() {
  const registration = await navigator.serviceWorker?.getRegistration("/run");
  if (registration?.waiting && !busy()) registration.waiting.postMessage("activate");
}
let reloads = false;
let hasWorker = Boolean(navigator.serviceWorker?.controller); // the first worker takes the page as it is, another one brings its own
navigator.serviceWorker?.addEventListener("controllerchange", () => {
  if (hasWorker && !reloads) { reloads = true; location.reload(); }
  hasWorker = true;
});

function hideSeen() {
  for (const notice of document.querySelectorAll(".changed")) notice.hidden = Boolean(localStorage.getItem(`seen-run-${notice.dataset.run}-${notice.textContent.length}`));
}
function readyPins() {
  if ("geolocation" in navigator) for (const button of document.querySelectorAll("form.pin button")) button.disabled = false;
}

// ---------------------------------------------------------------- acts

/* What is required holds the act back; what is only wanted is asked for once. */
function unproven(form) {
  for (const field of form.querySelectorAll(".sign, .photo")) {
    const given = field.matches(".sign") ? signed(form) : form.elements.photo.files.length > 0;
    if (given || !(field.dataset.level === "required" || (field.dataset.level === "warn" && !form.dataset.warned))) continue;
    if (field.dataset.level === "warn") form.dataset.warned = "1";
    const fold = field.closest("details");
    if (fold) fold.open = true;
    readySignatures();
    field.scrollIntoView({ block: "center" });
    sound("wrong");
    showBand("warn", field.dataset.missing + (field.dataset.level === "warn" ? say("；不补的话再按一次", "; press again to go on without") : ""), null);
    return true;
  }
  return false;
}

async function act(form) {
  if (form.dataset.busy || unproven(form)) return;
  form.dataset.busy = "1";
  try {
    const proofs = await proofsOf(form);
    if (proofs.unreadable) { sound("wrong"); showBand("bad", say("照片打不开，请重拍或不附照片", "The photo cannot be opened: take it again or go on without"), null); form.elements.photo.value = ""; return; }
    await record(form, proofs.found);
  } finally { delete form.dataset.busy; }
}

function bodyOf(form) {
  const data = new FormData(form);
  const body = { event_id: newId(), act: form.dataset.act, device_at: new Date().toISOString() };
  for (const name of ["reason", "note", "code", "seal_no"]) if (data.get(name)?.trim()) body[name] = data.get(name).trim();
  for (const name of ["identity_checked", "inspected"]) if (data.has(name)) body[name] = true;
  if (data.has("exceptions")) {
    body.exceptions = data.getAll("exceptions");
    body.reasons = Object.fromEntries(body.exceptions.filter((waybill) => data.get(`reason-${waybill}`)).map((waybill) => [waybill, data.get(`reason-${waybill}`)]));
  } else if (body.act !== "failed") delete body.reason;
  if (data.has("found")) body.found = data.getAll("found");
  return body;
}

async function record(form, proofs) {
  const card = form.closest(".stop");
  const stop = Number(card.dataset.stop);
  const body = bodyOf(form);
  for (const earlier of await store.all()) if (earlier.stop === stop && earlier.state === "held" && earlier.body.act === body.act) await store.drop(earlier);
  const needsProofs = [...form.querySelectorAll(".sign, .photo")].some((field) => field.dataset.level === "required") && proofs.length > 0;
  let unkept = 0;
  for (const proof of proofs) {
    try { await store.putPhoto({ id: newId(), event: body.event_id, stop, kind: proof.kind }, proof.blob); } catch { unkept += 1; }
  }
  const kept = await queue.add({ kind: "fact", id: body.event_id, stop, label: card.dataset.label, body, coded: Boolean(body.code), needsProofs });
  const line = card.querySelector(".refused");
  if (line) line.hidden = true;
  const said = { arrived: say("已到达", "Arrived"), collected: say("已揽收", "Collected"), delivered: say("已妥投", "Delivered"), failed: say("已记为未办成", "Recorded as failed"), problem: say("已记录，将发给调度", "Recorded for the dispatcher"), undone: say("已更正", "Corrected") }[body.act];
  if (kept.isVolatile) {
    sound("wrong");
    showBand("bad", say("手机存不下或不让存：这一步只在内存里，正在直接发送，发出前不要关闭页面", "The phone cannot store it: it is only in memory and being sent; keep this page open"), null);
  } else {
    if (body.act !== "failed") sound("good");
    const unchecked = body.code && !navigator.onLine ? say("（验证码还没有核对）", " (code not checked yet)") : "";
    const lost = unkept ? say("；照片没有存下", "; the photo could not be stored") : "";
    showBand(unkept ? "warn" : "good", `${said} ${card.dataset.label}${unchecked}${lost}`, ["collected", "delivered", "failed"].includes(body.act) ? () => undo(kept.n, stop, card.dataset.label) : null);
    form.reset();
    padOf(form)?.clear();
    delete form.dataset.warned;
    if (body.act !== "arrived") location.hash = "#list";
  }
  await show(queue);
  await queue.send();
  if (kept.isVolatile && !isOpen(kept)) { showBand("good", `${said} ${card.dataset.label}`, null); form.reset(); location.hash = "#list"; }
  if (["problem", "undone", "arrived"].includes(body.act)) await refresh();
}

/* What was typed for an act that the dispatcher holds stands in the form again, but its code. */
async function refill(card) {
  const stop = Number(card.dataset.stop);
  const held = (await store.all()).filter((one) => one.stop === stop && one.state === "held").at(-1);
  const form = held && card.querySelector(`form.act[data-act="${held.body.act}"]`);
  if (!form) return;
  for (const name of ["identity_checked", "inspected"]) if (held.body[name] && form.elements[name]) form.elements[name].checked = true;
  for (const name of ["seal_no", "note"]) if (held.body[name] && form.elements[name]) form.elements[name].value = held.body[name];
  for (const waybill of held.body.found || []) for (const box of form.querySelectorAll(`input[name=found][value="${CSS.escape(waybill)}"]`)) box.checked = true;
}

/* Within ten seconds: what never left is taken back; what may have arrived is compensated by an event of its own. */
async function undo(n, stop, label) {
  const kept = await store.get(n);
  if (kept && !kept.tried) { await store.drop(kept); await show(queue); await refresh(); location.hash = `#stop-${stop}`; return; }
  if (kept?.state === "held") { location.hash = `#stop-${stop}`; return; }
  const body = { event_id: newId(), act: "undone", device_at: new Date().toISOString() };
  await queue.add({ kind: "fact", id: body.event_id, stop, label, body });
  await queue.send();
  await refresh();
  location.hash = `#stop-${stop}`;
}

async function tell(body, label, stop = null) {
  const id = newId();
  await queue.add({ kind: "tell", id, stop, label, body: { event_id: id, device_at: new Date().toISOString(), stop, ...body } });
  showBand("good", say("已记录，将发给调度", "Recorded for the dispatcher"), null);
  await show(queue);
  await queue.send();
}

function pin(form) {
  const card = form.closest(".stop");
  const button = form.querySelector("button");
  button.disabled = true;
  navigator.geolocation.getCurrentPosition(async ({ coords }) => {
    button.disabled = false;
    if (coords.accuracy > 200) { sound("wrong"); showBand("bad", say("定位不够准，请到室外再试", "Position too rough, try outside"), null); return; }
    await tell({ topic: "entrance", lon: coords.longitude, lat: coords.latitude }, card.dataset.label, Number(card.dataset.stop));
  }, () => { button.disabled = false; showBand("bad", say("没有取得手机定位", "No position from the phone"), null); }, { enableHighAccuracy: true, timeout: 10_000 });
}

// ---------------------------------------------------------------- a run that ends, envelopes that change hands on the road

async function endRun(form) {
  const id = newId();
  const ended = { event_id: id, why: form.elements.why.value, note: form.elements.note.value.trim(), device_at: new Date().toISOString() };
  await queue.add({ kind: "end", id, stop: null, label: say("今天的线路到此为止", "My run ends here"), body: ended });
  sound("good");
  showBand("good", say("已记录，有信号就告诉调度", "Recorded; the dispatcher is told as soon as there is signal"), null);
  form.reset();
  await show(queue);
  await queue.send();
  await refresh();
}

/* Who waits at the stop is told when she comes: minutes count from now, though it be sent later. */
async function coming(form) {
  const id = newId();
  const card = form.closest(".stop");
  const stop = Number(card.dataset.stop);
  const expected = { event_id: id, stop, in_minutes: Number(form.elements.in_minutes.value), why: form.elements.why.value, called: form.elements.called.checked, device_at: new Date().toISOString() };
  await queue.add({ kind: "coming", id, stop, label: card.dataset.label, body: expected });
  sound("good");
  showBand("good", say("已记录，有信号就告诉对方", "Recorded; they are told as soon as there is signal"), null);
  form.reset();
  form.closest("details").open = false;
  await show(queue);
  await queue.send();
  await refresh();
}

async function passOn(form) {
  const data = new FormData(form);
  const id = newId();
  const waybills = data.getAll("waybills").flatMap((typed) => typed.split(/[\s,，]+/)).filter(Boolean).map(waybillOf);
  const passes = data.getAll("passes").map(Number);
  if (!waybills.length && !passes.length) { sound("wrong"); showBand("warn", say("请先勾选邮件", "Tick the envelopes first"), null); return; }
  const passed = { event_id: id, side: data.get("side"), passes, waybills, colleague: data.get("colleague") ? Number(data.get("colleague")) : null, device_at: new Date().toISOString() };
  await queue.add({ kind: "pass", id, stop: null, label: form.dataset.said, body: passed });
  sound("good");
  showBand("good", form.dataset.said, null);
  form.reset();
  await show(queue);
  await queue.send();
  await refresh();
}

// ---------------------------------------------------------------- the answers of the dispatcher

async function see(form) {
  const id = newId();
  const report = Number(form.dataset.report);
  form.closest("li").hidden = true;
  await queue.add({ kind: "seen", id, report, stop: null, label: say("已读调度答复", "Answer read"), body: { event_id: id } });
  await queue.send();
  await refresh();
}

async function read(form) {
  const id = newId();
  const word = { device_at: new Date().toISOString() };
  form.closest(".word").hidden = true;
  await queue.add({ kind: "read", id, word: Number(form.dataset.word), stop: null, label: say("已读调度的话", "Word read"), body: word });
  await queue.send();
  await refresh();
}

// ---------------------------------------------------------------- end of shift

async function forget() {
  if (window.caches) for (const name of await caches.keys()) if (name === RUN) await caches.delete(name);
  for (const key of Object.keys(localStorage)) if (key.startsWith("seen-run-") || key.startsWith("daiban-load-")) localStorage.removeItem(key);
}
async function endShift(form) {
  await queue.send({ all: true });
  const waiting = (await store.all()).filter(isOpen).length + (await store.photos()).length;
  if (!navigator.onLine || queue.trouble === "lost") { sound("wrong"); showBand("bad", say("没有信号，现在不能退出；记录都在手机上", "No signal: you cannot sign out now; everything is on the phone"), null); return; }
  if (waiting && form.dataset.asked !== "1") {
    form.dataset.asked = "1";
    sound("wrong");
    showBand("bad", say(`还有 ${waiting} 项没有发出。再按一次仍要退出：记录加密留在本机，您下次登录时发出`, `${waiting} not sent yet. Press again to sign out anyway: they stay sealed on this phone until you sign in`), null);
    return;
  }
  for (const kept of await store.all()) if (!isOpen(kept)) await store.drop(kept);
  await forget();
  form.submit();
}

// ---------------------------------------------------------------- wiring

document.addEventListener("submit", (event) => {
  const form = event.target;
  const mine = () => { event.preventDefault(); event.stopPropagation(); };
  if (form.matches("#run form.act") && session.courier) { mine(); act(form); }
  else if (form.matches("form.pin")) { mine(); pin(form); }
  else if (form.matches("form.tell")) { mine(); tell({ topic: form.elements.topic.value, note: form.elements.note.value.trim() }, say("线路情况", "The run")).then(() => form.reset()); }
  else if (form.matches("form.end-run") && session.courier) { mine(); endRun(form); }
  else if (form.matches("form.coming") && session.courier) { mine(); coming(form); }
  else if (form.matches("form.pass") && session.courier) { mine(); passOn(form); }
  else if (form.matches("form.read") && session.courier) { mine(); read(form); }
  else if (form.matches("form.see")) { mine(); see(form); }
  else if (form.matches("form.load") && event.submitter?.value !== "done") { mine(); scan(form); }
  else if (form.matches('#end, .bar form[action$="/logout"]')) { mine(); endShift(form); }
}, true);
document.addEventListener("toggle", readySignatures, true);
document.addEventListener("change", (event) => {
  if (event.target.matches('input[type=file][name="photo"]')) checkPhotos(event.target, (words) => { sound("wrong"); showBand("bad", words, null); });
});
document.addEventListener("click", (event) => {
  if (event.target.closest(".unsign")) padOf(event.target.closest("form"))?.clear();
  const seen = event.target.closest(".changed .seen");
  if (seen) { const notice = seen.closest(".changed"); localStorage.setItem(`seen-run-${notice.dataset.run}-${notice.textContent.length}`, "1"); hideSeen(); }
  const scanner = event.target.closest(".scan");
  if (scanner) openScanner(scanner);
});

if (run()) document.documentElement.classList.add("js");
document.body.classList.add("scripted");
queue.onChange(async (settled) => {
  await show(queue);
  if (settled?.state === "held") { sound("wrong"); showBand("bad", `${settled.label}：${settled.words}`, null); }
});
window.addEventListener("hashchange", openStop);
openStop();
hideSeen();
readyPins();
restore();
const wake = async () => { await queue.send({ all: true }); await queue.beat(); await refresh(); };
window.addEventListener("online", wake);
document.addEventListener("visibilitychange", () => { if (!document.hidden) wake(); });
window.addEventListener("focus", () => queue.send());
setInterval(() => queue.send(), SEND_EVERY_MS);
setInterval(() => queue.beat().then(refresh), REFRESH_EVERY_MS);
setInterval(keepTomorrow, TOMORROW_EVERY_MS);
setInterval(takeOver, SEND_EVERY_MS); // however the new version came, and once nobody is busy any more
setInterval(windows, 15_000);
window.addEventListener("beforeunload", (event) => { if (store.volatile.some(isOpen)) event.preventDefault(); });
await show(queue);
queue.send({ all: true }).then(() => queue.beat()).then(() => show(queue));

if ("serviceWorker" in navigator && run() && session.courier) {
  navigator.serviceWorker.register("/run/sw.js", { scope: "/run" })
    .then(() => navigator.serviceWorker.ready)
    .then(refresh)
    .then(() => { document.documentElement.dataset.offline = "ready"; })
    .then(keepTomorrow)
    .catch(() => {});
}
