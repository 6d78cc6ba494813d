/* The queue: each act is sent until the server has taken it or a dispatcher has it; an act that does not pass waits by itself.

   States of an act: waiting (to be sent), stuck (refused on the way three times; still tried), held (with the dispatcher),
   taken (in the record). Only our own answer to this act settles it: an ended session, a form token that is out of date,
   any other status, another's page and a torn line leave it where it is. */
"use strict";

import { measured } from "./clock.js";
import { newId, say } from "./words.js";

const PATIENCE_MS = 15_000;
const PART_BYTES = 48 * 1024;
const LONGEST_WAIT_MS = 15 * 60_000;
const STUCK_AFTER = 3;
const OURS = "/docs/problems#";

const SETTLED = new Set(["held", "taken"]);
export const isOpen = (act) => !SETTLED.has(act.state);

export class Queue {
  constructor(store, session) {
    this.store = store;
    this.session = session; // { courier, token, program }
    this.trouble = null; // "login", "other", "lost": why nothing passes
    this.listeners = [];
    this.busy = null;
    this.again = false;
  }
  onChange(listener) { this.listeners.push(listener); }
  async changed(act) { for (const listener of this.listeners) await listener(act); }

  async add(act) {
    const kept = { tries: 0, next: 0, state: "waiting", made: Date.now(), ...act };
    try {
      kept.n = await this.store.put(kept);
    } catch {
      this.store.hold(kept);
    }
    navigator.storage?.persist?.();
    await this.changed();
    return kept;
  }

  /* One round at a time over all tabs; `all`: also what would wait for its next try. */
  send({ all = false } = {}) {
    if (this.busy) { this.again = all || this.again === "all" ? "all" : "due"; return this.busy; }
    const round = () => this.round(all);
    const guarded = navigator.locks ? () => navigator.locks.request("daiban-send", round) : round;
    this.busy = guarded().catch(() => {}).then(async () => {
      this.busy = null;
      await this.changed();
      const again = this.again;
      this.again = false;
      if (again) await this.send({ all: again === "all" });
    });
    return this.busy;
  }

  async round(all) {
    if (!this.session.courier) return;
    if (!navigator.onLine) { this.trouble = "lost"; return; }
    const acts = await this.store.all();
    const behind = new Set(); // stops with an earlier act that is not settled: order holds within one stop
    let torn = 0;
    for (const listed of acts) {
      if (!isOpen(listed)) continue;
      const act = listed.isVolatile ? listed : await this.store.get(listed.n);
      if (!act || !isOpen(act)) continue;
      const lane = act.stop ? `stop:${act.stop}` : `one:${act.n}`;
      if (behind.has(lane)) continue;
      if (!all && act.next > Date.now()) { behind.add(lane); continue; }
      const outcome = await this.attempt(act);
      if (outcome === "settled") { torn = 0; this.trouble = null; continue; }
      behind.add(lane);
      if (outcome === "login" || outcome === "other") { this.trouble = outcome; return; }
      if (outcome === "torn" && ++torn > 1) { this.trouble = "lost"; return; }
    }
    if (!torn) { this.trouble = null; await this.sendPhotos(all); }
  }

  /* settled, login, other, torn or later. */
  async attempt(act) {
    act.tried = true;
    await this.store.put(act);
    let answer;
    try {
      await this.withProofs(act);
      answer = await this.post(act);
    } catch (error) {
      if (error instanceof Unsent) answer = error.answer;
      else { await this.postpone(act, say("没有信号或网络中断", "no signal or a torn line")); return "torn"; }
    }
    const signedOut = (reply) => reply.status === 401 || reply.url.includes("/login");
    if (signedOut(answer)) return "login";
    if ([400, 403, 404, 409].includes(answer.status)) {
      const found = await this.renew();
      if (found === "login" || found === "other") return found;
      if (found === "renewed") {
        try { answer = await this.post(act); } catch { await this.postpone(act, say("网络中断", "a torn line")); return "torn"; }
        if (signedOut(answer)) return "login";
      }
    }
    return this.read(act, answer);
  }

  async read(act, answer) {
    const body = await answer.json().catch(() => null);
    if (answer.ok && this.isAnswerTo(act, body)) {
      act.state = body.taken === false ? "held" : "taken";
      act.why = body.why || null;
      act.words = body.words || "";
      act.settled = Date.now();
      if (act.body) delete act.body.code;
      await this.store.put(act);
      for (const photo of await this.store.photosOf(act.id)) if (act.carries?.includes(photo.id)) await this.store.dropPhoto(photo);
      await this.changed(act);
      return "settled";
    }
    const isOurs = String(body?.type || "").startsWith(OURS) && (answer.headers.get("Content-Type") || "").includes("problem+json");
    if (isOurs && answer.status === 422) {
      if (act.body.photos?.length || act.body.signature) { // the server no longer has the pictures: they are sent again
        for (const photo of await this.store.photosOf(act.id)) { delete photo.sha256; photo.upload = newId(); await this.store.updatePhoto(photo); }
        delete act.body.photos; delete act.body.signature;
      }
      if (!act.passedOn && act.tries >= 1) await this.passOn(act, body.detail || body.title);
    }
    const wait = Number(answer.headers.get("Retry-After")) * 1000;
    await this.postpone(act, isOurs ? body.detail || body.title : say(`服务器或网络的问题（${answer.status}）`, `a fault of the server or the line (${answer.status})`), wait || 0);
    return "later";
  }

  /* What the server cannot read as an act is told to the dispatcher in words; the act itself stays. */
  async passOn(act, why) {
    const { code, ...shown } = act.body; // eslint-disable-line no-unused-vars
    const note = `${say("手机上的一步操作服务器不认", "The server does not understand an act of this phone")}: ${why}. ${act.label} ${JSON.stringify(shown)}`.slice(0, 1000);
    const told = await this.request("/api/v1/runs/reports", { method: "POST", json: { event_id: newId(), topic: "problem", note, stop: act.stop || null } }).catch(() => null);
    if (told?.ok) { act.passedOn = true; act.state = "stuck"; await this.store.put(act); }
  }

  isAnswerTo(act, body) {
    if (!body || typeof body !== "object") return false;
    if (act.kind === "seen" || act.kind === "read") return "state" in body;
    return body.event_id === act.body.event_id;
  }

  async postpone(act, words, wait = 0) {
    act.tries += 1;
    act.words = words;
    act.next = Date.now() + Math.max(wait, Math.min(LONGEST_WAIT_MS, 4000 * 2 ** act.tries) * (0.8 + Math.random() * 0.4));
    if (act.tries >= STUCK_AFTER) act.state = "stuck";
    await this.store.put(act);
  }

  request(path, { method = "GET", json, body, type } = {}) {
    const headers = { Accept: "application/json", "X-Courier": String(this.session.courier) };
    if (method !== "GET") headers["X-CSRFToken"] = this.session.token;
    if (json !== undefined) { headers["Content-Type"] = "application/json"; body = JSON.stringify(json); }
    else if (type) headers["Content-Type"] = type;
    return fetch(path, { method, headers, body, signal: AbortSignal.timeout(PATIENCE_MS) });
  }

  post(act) {
    const sent_at = new Date().toISOString();
    if (act.kind === "seen") return this.request(`/api/v1/runs/reports/${act.report}/seen`, { method: "POST", json: {} });
    if (act.kind === "tell") return this.request("/api/v1/runs/reports", { method: "POST", json: { ...act.body, sent_at } });
    if (act.kind === "read") return this.request(`/api/v1/runs/words/${act.word}/read`, { method: "POST", json: { ...act.body, sent_at } });
    if (act.kind === "end") return this.request("/api/v1/runs/end", { method: "POST", json: { ...act.body, sent_at } });
    if (act.kind === "coming") return this.request("/api/v1/runs/coming", { method: "POST", json: { ...act.body, sent_at } });
    if (act.kind === "pass") return this.request("/api/v1/runs/passes", { method: "POST", json: { ...act.body, sent_at } });
    return this.request("/api/v1/runs/facts", { method: "POST", json: { ...act.body, stop: act.stop, sent_at } });
  }

  /* Whose session this is; a fresh form token when it is still this courier's. */
  async renew() {
    const asked = Date.now();
    let answer;
    try { answer = await this.request("/run/session"); } catch { return "torn"; }
    if (answer.status === 401 || answer.url.includes("/login")) return "login";
    const found = answer.ok ? await answer.json().catch(() => null) : null;
    if (!found || typeof found.now_ms !== "number") return "strange";
    if (found.courier !== this.session.courier) return "other";
    measured(found.now_ms, asked, Date.now());
    this.session.wanted = found.program;
    const fresh = found.token !== this.session.token;
    this.session.token = found.token;
    return fresh ? "renewed" : "same";
  }

  // ---------------------------------------------------------------- pictures

  /* What the handover requires goes first; a signature, which is small, goes along where the line lets it. */
  async withProofs(act) {
    for (const photo of await this.store.photosOf(act.id)) {
      if (!act.needsProofs && photo.kind !== "signature") continue;
      try { await this.upload(photo); } catch (error) { if (act.needsProofs) throw error; }
    }
    const sent = (await this.store.photosOf(act.id)).filter((photo) => photo.sha256);
    if (!sent.length) return;
    act.body.photos = sent.filter((photo) => photo.kind === "photo").map((photo) => photo.sha256);
    act.body.signature = sent.find((photo) => photo.kind === "signature")?.sha256 ?? null;
    act.carries = sent.map((photo) => photo.id);
    await this.store.put(act);
  }

  /* In parts that go on where they stopped. */
  async upload(photo) {
    if (photo.sha256) return;
    photo.upload ||= newId();
    await this.store.updatePhoto(photo);
    const bytes = new Uint8Array(await this.store.bytesOf(photo));
    const begun = await this.request(`/api/v1/runs/uploads/${photo.upload}`);
    if (!begun.ok) throw new Unsent(begun);
    let { received } = await begun.json();
    while (!photo.sha256) {
      const part = bytes.slice(received, received + PART_BYTES);
      const answer = await this.request(`/api/v1/runs/uploads/${photo.upload}?offset=${received}&total=${bytes.length}${photo.stop ? `&stop=${photo.stop}` : ""}`, { method: "PUT", body: part, type: "application/octet-stream" });
      if (!answer.ok) throw new Unsent(answer);
      const have = await answer.json();
      if (have.sha256) photo.sha256 = have.sha256;
      else if (have.received <= received) throw new Unsent(answer);
      received = have.received;
    }
    await this.store.updatePhoto(photo);
  }

  /* Photos of acts that are in already; one that the server cannot read is told and spoils nothing. */
  async sendPhotos(all) {
    const acts = new Map((await this.store.all()).map((act) => [act.id, act]));
    for (const photo of await this.store.photos()) {
      const act = acts.get(photo.event);
      if (act && isOpen(act)) continue;
      if (!all && (photo.next || 0) > Date.now()) continue;
      try {
        await this.upload(photo);
        const answer = await this.request(`/api/v1/runs/facts/${photo.event}/photos`, { method: "POST", json: { photos: [photo.sha256] } });
        if (!answer.ok) throw new Unsent(answer);
        await this.store.dropPhoto(photo);
      } catch (error) {
        photo.tries = (photo.tries || 0) + 1;
        photo.next = Date.now() + Math.min(LONGEST_WAIT_MS, 4000 * 2 ** photo.tries);
        if (error instanceof Unsent && error.answer.status === 422) photo.words = say("照片无法识别，请重拍", "the photo cannot be read, take it again");
        await this.store.updatePhoto(photo);
        if (!(error instanceof Unsent)) return;
        if (error.answer.status === 400) await this.renew();
      }
    }
  }

  // ---------------------------------------------------------------- what a dispatcher sees of this phone

  async beat() {
    if (!this.session.courier) return;
    let device = await this.store.recall("device");
    if (!device) { device = newId(); await this.store.remember("device", device); }
    const acts = (await this.store.all()).filter(isOpen);
    const oldest = acts.length ? new Date(Math.min(...acts.map((act) => act.made))).toISOString() : null;
    const found = await this.renew();
    if (found === "login" || found === "other") { this.trouble = found; return; }
    if (found === "torn" || found === "strange") return;
    if (["login", "other"].includes(this.trouble)) this.trouble = null;
    await this.request("/api/v1/runs/phone", { method: "POST", json: {
      device, waiting: acts.length, stuck: acts.filter((act) => act.state === "stuck").length, others: await this.store.others(),
      oldest_at: oldest, sent_at: new Date().toISOString(), program: this.session.program,
    } }).catch(() => {});
  }
}

class Unsent extends Error {
  constructor(answer) { super(`not taken: ${answer.status}`); this.answer = answer; }
}
