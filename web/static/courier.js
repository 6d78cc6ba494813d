/* The courier's phone: every act is kept first, then sent once; the run stays readable without signal. */
"use strict";

(() => {
  const UNDO_S = 10;
  const SEND_EVERY_MS = 20_000;
  const REFRESH_EVERY_MS = 60_000;
  const PATIENCE_MS = 15_000;
  const RUN = "daiban-run";

  const run = document.getElementById("run");
  const chip = document.getElementById("chip");
  const band = document.getElementById("band");
  const words = chip ? JSON.parse(chip.dataset.words) : {};
  const formToken = () => document.querySelector('meta[name="csrf-token"]').content;
  const courier = () => Number(run?.dataset.courier || 0);
  const say = (zh, en) => (document.documentElement.lang.startsWith("zh") ? zh : en);

  // ---------------------------------------------------------------- what is kept on the phone

  const store = idb.openDB("daiban-courier", 1, {
    upgrade(db) { db.createObjectStore("acts", { keyPath: "n", autoIncrement: true }); },
  });
  const all = async () => (await (await store).getAll("acts")).filter((act) => act.courier === courier());
  const put = async (act) => (await store).put("acts", act);
  const drop = async (act) => (await store).delete("acts", act.n);

  function newId() {
    if (crypto.randomUUID) return crypto.randomUUID();
    const b = crypto.getRandomValues(new Uint8Array(16));
    b[6] = (b[6] & 15) | 64; b[8] = (b[8] & 63) | 128;
    const h = [...b].map((x) => x.toString(16).padStart(2, "0")).join("");
    return `${h.slice(0, 8)}-${h.slice(8, 12)}-${h.slice(12, 16)}-${h.slice(16, 20)}-${h.slice(20)}`;
  }

  // ---------------------------------------------------------------- sending: in order, one at a time, once each

  let needsLogin = false;

  async function post(act) {
    const body = act.pin ? new URLSearchParams(act.pin) : JSON.stringify({ ...act.body, sent_at: new Date().toISOString() });
    return fetch(act.pin ? `/run/stops/${act.stop}/pin` : `/api/v1/stops/${act.stop}/events`, {
      method: "POST",
      body,
      headers: { "X-CSRFToken": formToken(), Accept: "application/json", ...(act.pin ? {} : { "Content-Type": "application/json" }) },
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  }

  /* Photos and the signature go first; what the server calls each travels inside the act, so a repeat names the same. */
  async function upload(act) {
    for (const file of act.files || []) {
      if (file.sha256) continue;
      const form = new FormData();
      form.append("file", file.blob, file.kind === "photo" ? "photo.jpg" : "signature.png");
      const answer = await fetch(`/api/v1/stops/${act.stop}/proofs`, { method: "POST", body: form, headers: { "X-CSRFToken": formToken(), Accept: "application/json" }, signal: AbortSignal.timeout(4 * PATIENCE_MS) });
      if (!answer.ok) return answer;
      file.sha256 = (await answer.json()).sha256;
      await put(act);
    }
    if (act.files?.length) {
      act.body.photos = act.files.filter((file) => file.kind === "photo").map((file) => file.sha256);
      act.body.signature = act.files.find((file) => file.kind === "signature")?.sha256 ?? null;
    }
    return null;
  }
  const deliver = async (act) => (await upload(act)) ?? post(act);

  async function sendAll() {
    for (const act of await all()) {
      if (act.state !== "waiting") continue;
      if (!(await (await store).get("acts", act.n))) continue; // undone meanwhile
      act.tried = true;
      await put(act);
      let answer;
      try { answer = await deliver(act); } catch { return; }
      if (answer.status === 400 && (await renewToken())) answer = await deliver(act).catch(() => null);
      if (!answer) return;
      if (answer.status === 401 || answer.url.includes("/login")) { needsLogin = true; return; }
      if (answer.status >= 500 || answer.status === 429 || answer.status === 408) return;
      needsLogin = false;
      if (answer.ok) {
        act.state = "sent";
        delete act.body.code;
        delete act.files;
      } else {
        const problem = await answer.json().catch(() => ({}));
        act.state = "refused";
        act.words = answer.status === 404 ? say("这一站已不在您的线路上", "This stop is no longer on your run") : problem.detail || problem.title || say("未被接受", "Not accepted");
        if (act.body) delete act.body.code;
      }
      act.settled = Date.now();
      await put(act);
      if (act.state === "refused") { sound("wrong"); showBand("bad", `${act.label}:${act.words}`, null); }
    }
  }

  async function renewToken() {
    const page = await fetch("/run", { headers: { Accept: "text/html" } }).catch(() => null);
    if (!page || page.redirected || !page.ok) { needsLogin = Boolean(page); return false; }
    const meta = new DOMParser().parseFromString(await page.text(), "text/html").querySelector('meta[name="csrf-token"]');
    if (!meta) return false;
    document.querySelector('meta[name="csrf-token"]').content = meta.content;
    return true;
  }

  let sending = null;
  function send() {
    const guarded = () => (navigator.locks ? navigator.locks.request("daiban-send", sendAll) : sendAll());
    sending = (sending || Promise.resolve()).then(guarded).catch(() => {}).then(show);
    return sending;
  }

  // ---------------------------------------------------------------- showing: the server's page, and over it what waits here

  const STATE = { arrived: "arrived", collected: "done", delivered: "done", failed: "failed", undone: "planned" };

  async function show() {
    const acts = await all();
    const waiting = acts.filter((act) => act.state === "waiting").length;
    const refused = acts.filter((act) => act.state === "refused").length;
    if (chip && run?.dataset.courier) {
      const state = needsLogin && waiting ? "login" : waiting ? "waiting" : refused ? "refused" : acts.length ? "sent" : "kept";
      chip.hidden = false;
      chip.dataset.state = state;
      chip.textContent = words[state] + (state === "waiting" ? ` ${waiting}` : state === "refused" ? ` ${refused}` : "");
    }
    if (!run) return;
    const latest = new Map();
    for (const act of acts) if (!act.pin && act.body.act !== "problem") latest.set(act.stop, act);
    for (const element of run.querySelectorAll("[data-stop]")) {
      element.dataset.was ||= element.dataset.state;
      element.dataset.state = element.dataset.was;
      delete element.dataset.pending;
      const mark = element.querySelector(":scope > a .mark");
      if (mark) { mark.was ||= [...mark.childNodes]; mark.replaceChildren(...mark.was); }
    }
    for (const [stop, act] of latest) {
      for (const element of run.querySelectorAll(`[data-stop="${stop}"]`)) {
        if (act.state === "refused") {
          const line = element.querySelector(".refused");
          if (line) { line.hidden = false; line.textContent = act.words; }
          element.dataset.pending = "refused";
        } else {
          element.dataset.state = STATE[act.body.act];
          element.dataset.pending = act.state;
        }
        const mark = element.querySelector(":scope > a .mark");
        if (mark && act.state !== "refused" && ["done", "failed"].includes(STATE[act.body.act])) {
          mark.textContent = (STATE[act.body.act] === "done" ? "✓ " : "▲ ") + (act.state === "waiting" ? words.waiting : words.sent);
        } else if (mark && act.state === "refused") mark.textContent = `■ ${words.refused}`;
      }
    }
    promoteNext();
    windows();
  }

  function promoteNext() {
    const next = run.querySelector(".stops.next");
    if (!next) return;
    const over = (item) => ["done", "failed"].includes(item.dataset.state);
    const first = next.querySelector("li");
    if (!first || !over(first)) return;
    const coming = [...run.querySelectorAll("#list .stops:not(.next) > li")].find((item) => !over(item) && !item.closest("details"));
    const done = run.querySelector("details.done .stops");
    if (done) done.append(first); else if (coming) coming.parentElement.append(first);
    if (coming) next.append(coming);
    if (next.querySelector("li") && over(next.querySelector("li")) === false) promoteNext();
  }

  function windows() {
    if (!run) return;
    const now = new Date(Date.now() + Number(run.dataset.offsetMs || 0) + 8 * 3600_000);
    const s = now.getUTCHours() * 3600 + now.getUTCMinutes() * 60 + now.getUTCSeconds();
    for (const left of run.querySelectorAll(".left")) {
      const [opens, closes] = [Number(left.dataset.opens), Number(left.dataset.closes)];
      const minutes = Math.floor((closes - s) / 60);
      left.textContent = s < opens ? say(`${Math.ceil((opens - s) / 60)} 分钟后开始`, `opens in ${Math.ceil((opens - s) / 60)} min`) : s <= closes ? say(`还剩 ${minutes} 分钟`, `${minutes} min left`) : say("已过时段", "window over");
      left.classList.toggle("soon", s >= opens && minutes < 30);
    }
  }

  /* Which stop is open lives in the address; a swapped page keeps it open. */
  function openStop() {
    if (!run || run.classList.contains("alone")) return;
    const wanted = /^#stop-\d+$/.test(location.hash) ? document.getElementById(location.hash.slice(1)) : null;
    for (const card of run.querySelectorAll(".stop")) card.classList.toggle("open", card === wanted);
    run.classList.toggle("at-stop", Boolean(wanted));
    window.scrollTo(0, 0);
    wanted?.focus({ preventScroll: true });
    readySignatures();
  }

  const busy = () => Boolean(run.querySelector(".stop.open input:checked, .stop.open details[open]:not(.proofs)") || [...run.querySelectorAll(".stop.open input:not([type=hidden]):not([type=checkbox]):not([type=radio]), .stop.open textarea")].some((i) => i.value) || [...run.querySelectorAll(".stop.open form.act")].some(signed));

  async function refresh() {
    if (!run?.dataset.courier) return;
    let answer;
    try { answer = await fetch("/run", { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(PATIENCE_MS) }); } catch { return; }
    if (answer.redirected && answer.url.includes("/login")) { needsLogin = true; return show(); }
    if (!answer.ok) return;
    if (window.caches && answer.headers.has("X-Keep-Until")) await (await caches.open(RUN)).put("/run", answer.clone());
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("run");
    if (!fresh) return;
    document.querySelector('meta[name="csrf-token"]').content = page.querySelector('meta[name="csrf-token"]').content;
    if (Number(fresh.dataset.courier) !== courier()) { location.reload(); return; }
    for (const act of await all()) if (act.state === "sent" && Date.now() - act.settled > 2000) await drop(act);
    if (busy()) return show();
    const at = window.scrollY;
    run.replaceChildren(...fresh.childNodes);
    Object.assign(run.dataset, fresh.dataset);
    const wanted = /^#stop-\d+$/.test(location.hash) ? document.getElementById(location.hash.slice(1)) : null;
    wanted?.classList.add("open");
    run.classList.toggle("at-stop", Boolean(wanted));
    readySignatures();
    window.scrollTo(0, at);
    hideSeen();
    readyPins();
    await show();
  }

  function hideSeen() {
    for (const notice of document.querySelectorAll(".changed")) notice.hidden = Boolean(localStorage.getItem(`seen-run-${notice.dataset.run}`));
  }
  function readyPins() {
    if ("geolocation" in navigator) for (const button of document.querySelectorAll("form.pin button")) button.disabled = false;
  }

  // ---------------------------------------------------------------- what the courier hears and sees

  let sounds;
  function sound(kind) {
    try {
      sounds ||= new AudioContext();
      const notes = { good: [[880, 0], [1320, 0.12]], wrong: [[220, 0], [180, 0.2]], twice: [[520, 0], [520, 0.15]] }[kind];
      for (const [hertz, after] of notes) {
        const tone = sounds.createOscillator(), volume = sounds.createGain();
        tone.frequency.value = hertz; tone.type = kind === "wrong" ? "sawtooth" : "sine";
        volume.gain.value = 0.2;
        tone.connect(volume).connect(sounds.destination);
        tone.start(sounds.currentTime + after); tone.stop(sounds.currentTime + after + 0.11);
      }
      navigator.vibrate?.(kind === "good" ? 60 : [120, 60, 120]);
    } catch { /* a phone without sound still shows the band */ }
  }

  let countdown;
  function showBand(kind, text, undo) {
    if (!band) return;
    clearInterval(countdown);
    band.hidden = false;
    band.className = `band ${kind}`;
    band.replaceChildren(document.createTextNode((kind === "good" ? "✓ " : "■ ") + text));
    if (!undo) { countdown = setTimeout(() => { band.hidden = true; }, 8000); return; }
    const button = document.createElement("button");
    button.type = "button";
    let left = UNDO_S;
    const tick = () => { button.textContent = `${say("撤销", "Undo")} ${left}`; };
    tick();
    button.addEventListener("click", () => { clearInterval(countdown); band.hidden = true; undo(); });
    band.append(button);
    countdown = setInterval(() => { left -= 1; tick(); if (left <= 0) { clearInterval(countdown); band.hidden = true; } }, 1000);
  }

  // ---------------------------------------------------------------- proofs: a signature on the glass, photos made small

  const pads = new WeakMap();

  function readySignatures() {
    if (!window.SignaturePad) return;
    for (const canvas of document.querySelectorAll(".stop.open .sign canvas")) {
      if (pads.has(canvas) || !canvas.clientWidth) continue;
      canvas.width = canvas.clientWidth * 2;
      canvas.height = canvas.clientHeight * 2;
      canvas.getContext("2d").scale(2, 2);
      pads.set(canvas, new SignaturePad(canvas, { minWidth: 1, maxWidth: 3, penColor: "#000" }));
    }
  }
  const padOf = (form) => pads.get(form.querySelector(".sign canvas"));
  const signed = (form) => Boolean(padOf(form) && !padOf(form).isEmpty());

  async function small(file) {
    const picture = await createImageBitmap(file).catch(() => null);
    if (!picture) return file;
    const scale = Math.min(1, 1600 / Math.max(picture.width, picture.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    return (await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.82))) || file;
  }

  async function proofsOf(form) {
    const found = [];
    for (const file of [...(form.elements.photo?.files || [])].slice(0, 3)) found.push({ kind: "photo", blob: await small(file) });
    if (signed(form)) found.push({ kind: "signature", blob: await new Promise((done) => form.querySelector(".sign canvas").toBlob(done, "image/png")) });
    return found.filter((file) => file.blob);
  }

  /* What is required holds the act back; what is only wanted is asked for once. */
  function unproven(form) {
    for (const field of form.querySelectorAll(".sign, .photo")) {
      const given = field.matches(".sign") ? signed(form) : form.elements.photo.files.length > 0;
      if (given || !(field.dataset.level === "required" || (field.dataset.level === "warn" && !form.dataset.warned))) continue;
      if (field.dataset.level === "warn") form.dataset.warned = "1";
      field.closest("details").open = true;
      field.scrollIntoView({ block: "center" });
      sound("wrong");
      showBand("warn", field.dataset.missing + (field.dataset.level === "warn" ? say("；不补的话再按一次", "; press again to go on without") : ""), null);
      return true;
    }
    return false;
  }

  // ---------------------------------------------------------------- acts

  async function act(form) {
    if (form.dataset.busy || unproven(form)) return;
    form.dataset.busy = "1";
    try { await record(form, await proofsOf(form)); } finally { delete form.dataset.busy; }
  }

  async function record(form, proofs) {
    const data = new FormData(form);
    const card = form.closest(".stop");
    const stop = Number(card.dataset.stop);
    const body = { event_id: newId(), act: form.dataset.act, device_at: new Date().toISOString() };
    for (const name of ["reason", "note", "code", "seal_no"]) if (data.get(name)?.trim()) body[name] = data.get(name).trim();
    for (const name of ["identity_checked", "inspected"]) if (data.has(name)) body[name] = true;
    if (data.has("exceptions")) body.exceptions = data.getAll("exceptions");
    for (const earlier of await all()) if (earlier.stop === stop && earlier.state === "refused") await drop(earlier);
    if (!data.has("exceptions") && body.act !== "failed") delete body.reason;
    const kept = { courier: courier(), stop, label: card.dataset.label, body, state: "waiting", made: Date.now(), files: proofs };
    kept.n = await put(kept);
    navigator.storage?.persist?.();
    const line = card.querySelector(".refused");
    if (line) line.hidden = true;
    form.reset();
    padOf(form)?.clear();
    delete form.dataset.warned;
    const said = { collected: say("已揽收", "Collected"), delivered: say("已妥投", "Delivered"), failed: say("已记为未办成", "Recorded as failed"), problem: say("已记录，将发给调度", "Recorded for the lead"), undone: say("已更正", "Corrected") }[body.act];
    if (body.act !== "failed") sound("good");
    showBand("good", `${said} ${card.dataset.label}`, ["collected", "delivered", "failed"].includes(body.act) ? () => undo(kept.n, stop, card.dataset.label) : null);
    location.hash = "#list";
    await show();
    await send();
    if (body.act === "problem" || body.act === "undone") await refresh();
  }

  /* Within ten seconds: what never left is taken back; what may have arrived is compensated by an event of its own. */
  async function undo(n, stop, label) {
    const db = await store;
    const tx = db.transaction("acts", "readwrite");
    const kept = await tx.store.get(n);
    if (kept && !kept.tried) { await tx.store.delete(n); await tx.done; await show(); await refresh(); location.hash = `#stop-${stop}`; return; }
    await tx.done;
    if (kept?.state === "refused") { await drop(kept); return; }
    await put({ courier: courier(), stop, label, state: "waiting", made: Date.now(), body: { event_id: newId(), act: "undone", device_at: new Date().toISOString() } });
    await show();
    await send();
    await refresh();
    location.hash = `#stop-${stop}`;
  }

  function pin(form) {
    const card = form.closest(".stop");
    const button = form.querySelector("button");
    button.disabled = true;
    navigator.geolocation.getCurrentPosition(async ({ coords }) => {
      button.disabled = false;
      if (coords.accuracy > 200) { sound("wrong"); showBand("bad", say("定位不够准，请到室外再试", "Position too rough, try outside"), null); return; }
      await put({ courier: courier(), stop: Number(card.dataset.stop), label: card.dataset.label, state: "waiting", made: Date.now(), body: {}, pin: { lon: String(coords.longitude), lat: String(coords.latitude) } });
      showBand("good", say("已记录位置，将报给调度", "Position recorded for the lead"), null);
      await show();
      send();
    }, () => { button.disabled = false; showBand("bad", say("没有取得手机定位", "No position from the phone"), null); }, { enableHighAccuracy: true, timeout: 10_000 });
  }

  // ---------------------------------------------------------------- the load scan: typed with its check digit

  function waybillOf(typed) {
    const plain = typed.toUpperCase().replace(/\s/g, "");
    return /^\d{9}$/.test(plain) ? `EA${plain}CN` : plain;
  }
  function digitFits(waybill) {
    if (/^\d{13}$/.test(waybill)) return true;
    if (!/^[A-Z]{2}\d{9}[A-Z]{2}$/.test(waybill)) return false;
    const sum = [8, 6, 4, 2, 3, 5, 9, 7].reduce((total, weight, i) => total + weight * Number(waybill[2 + i]), 0);
    const digit = 11 - (sum % 11);
    return Number(waybill[10]) === ({ 10: 0, 11: 5 }[digit] ?? digit);
  }
  function scan(form) {
    const input = form.elements.waybill, line = form.querySelector(".refused");
    const waybill = waybillOf(input.value);
    const row = [...form.querySelectorAll("[data-waybill]")].find((item) => item.dataset.waybill === waybill);
    const wrong = !digitFits(waybill) ? line.dataset.digit : !row ? `${waybill} ${line.dataset.wrong}` : "";
    const twice = row?.classList.contains("seen");
    line.hidden = !wrong && !twice;
    line.className = `refused band ${twice ? "warn" : "bad"}`;
    line.textContent = twice ? `${waybill} ${line.dataset.twice}` : wrong;
    if (wrong || twice) { sound(twice ? "twice" : "wrong"); input.select(); return; }
    row.classList.add("seen");
    const taken = document.createElement("input");
    taken.type = "hidden"; taken.name = "taken"; taken.value = waybill;
    form.append(taken);
    form.querySelector(".count").textContent = form.querySelectorAll("li.seen").length;
    input.value = "";
    input.focus();
    sound("good");
  }

  // ---------------------------------------------------------------- end of shift

  async function forget() {
    if (window.caches) for (const name of await caches.keys()) if (name === RUN) await caches.delete(name);
    for (const key of Object.keys(localStorage)) if (key.startsWith("seen-run-")) localStorage.removeItem(key);
  }
  async function endShift(form) {
    await send();
    const waiting = (await all()).filter((kept) => kept.state === "waiting").length;
    if (waiting) { sound("wrong"); showBand("bad", say(`还有 ${waiting} 项没有发出，请到有信号的地方再收班`, `${waiting} not sent yet: go where there is signal first`), null); return; }
    for (const kept of await all()) await drop(kept);
    await forget();
    form.submit();
  }

  // ---------------------------------------------------------------- wiring

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.matches("#run form.act") && run.dataset.courier) { event.preventDefault(); event.stopPropagation(); act(form); }
    else if (form.matches("form.pin")) { event.preventDefault(); event.stopPropagation(); pin(form); }
    else if (form.matches("form.load") && event.submitter?.value !== "done") { event.preventDefault(); event.stopPropagation(); scan(form); }
    else if (form.matches('#end, .bar form[action$="/logout"]')) { event.preventDefault(); event.stopPropagation(); endShift(form); }
  }, true);
  document.addEventListener("toggle", readySignatures, true);
  document.addEventListener("click", (event) => {
    if (event.target.closest(".unsign")) padOf(event.target.closest("form"))?.clear();
    const seen = event.target.closest(".changed .seen");
    if (seen) { localStorage.setItem(`seen-run-${seen.closest(".changed").dataset.run}`, "1"); hideSeen(); }
  });

  if (run) document.documentElement.classList.add("js");
  window.addEventListener("hashchange", openStop);
  openStop();
  hideSeen();
  readyPins();
  const wake = () => { send().then(() => refresh()); };
  window.addEventListener("online", wake);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) wake(); });
  window.addEventListener("focus", () => send());
  setInterval(send, SEND_EVERY_MS);
  setInterval(refresh, REFRESH_EVERY_MS);
  setInterval(windows, 15_000);
  show().then(send);

  if ("serviceWorker" in navigator && run?.dataset.courier) {
    navigator.serviceWorker.register("/run/sw.js", { scope: "/run" })
      .then(() => navigator.serviceWorker.ready)
      .then(refresh)
      .then(() => { document.documentElement.dataset.offline = "ready"; })
      .catch(() => {});
  }
})();
