/* Showing: the server's page, and over it what waits on the phone; progress moves with or without signal. */

import { now, secondOfDay } from "./clock.js";
import { isOpen } from "./queue.js";
import { say } from "./words.js";

const STATE = { arrived: "arrived", collected: "done", delivered: "done", failed: "failed", undone: "planned" };
const WHAT = () => ({ arrived: say("已到达", "Arrived"), collected: say("揽收", "Collected"), delivered: say("妥投", "Delivered"), failed: say("未办成", "Failed"), undone: say("更正", "Correction"), problem: say("反映情况", "Problem") });

export const run = () => document.getElementById("run");

export async function show(queue) {
  const acts = await queue.store.all();
  showChip(queue, acts, await queue.store.photos());
  await showQueue(queue, acts);
  if (!run()) return;
  const latest = new Map();
  for (const act of acts) if (act.kind === "fact" && act.body.act !== "problem") latest.set(act.stop, act);
  for (const element of run().querySelectorAll("[data-stop]")) {
    element.dataset.was ||= element.dataset.state;
    element.dataset.state = element.dataset.was;
    delete element.dataset.pending;
    const mark = element.querySelector(":scope > a .mark");
    if (mark) { mark.was ||= [...mark.childNodes]; mark.replaceChildren(...mark.was); }
  }
  for (const [stop, act] of latest) {
    for (const element of run().querySelectorAll(`[data-stop="${stop}"]`)) overlay(element, act);
  }
  promoteNext();
  progress();
  windows();
}

function overlay(element, act) {
  const mark = element.querySelector(":scope > a .mark");
  element.dataset.pending = act.state;
  if (act.state === "held") {
    const line = element.querySelector(".refused");
    if (line) { line.hidden = false; line.textContent = `${act.words} ${say("——已交调度处理，可改正后重做", "- with the dispatcher; you may correct and repeat it")}`; }
    if (mark) mark.textContent = `■ ${say("交调度处理", "with dispatcher")}`;
    return;
  }
  const state = STATE[act.body.act];
  element.dataset.state = state;
  if (mark && ["done", "failed"].includes(state)) {
    const words = act.state === "taken" ? say("已发送", "sent") : act.state === "stuck" ? say("发不出", "stuck") : say("待发送", "waiting");
    mark.textContent = (state === "done" ? "✓ " : "▲ ") + words + (isOpen(act) && act.coded ? say("·码未核", " · code unchecked") : "");
  }
}

function showChip(queue, acts, photos) {
  const chip = document.getElementById("chip");
  if (!chip || !queue.session.courier) return;
  const words = JSON.parse(chip.dataset.words);
  const open = acts.filter(isOpen);
  const stuck = open.filter((act) => act.state === "stuck").length;
  const held = acts.filter((act) => act.state === "held").length + Number(document.getElementById("queue")?.dataset.answers || 0);
  const state = queue.trouble && open.length && ["login", "other"].includes(queue.trouble) ? queue.trouble : stuck ? "stuck" : open.length ? "waiting" : held ? "held" : photos.length ? "photos" : acts.length ? "sent" : "kept";
  const count = { waiting: open.length, stuck, held, photos: photos.length }[state];
  chip.hidden = false;
  chip.dataset.state = state;
  chip.textContent = words[state] + (count ? ` ${count}` : "");
}

/* The queue page: each act, where it is, and what to do. */
async function showQueue(queue, acts) {
  const page = document.getElementById("queue");
  if (!page) return;
  const list = page.querySelector(".acts-kept");
  const photos = await queue.store.photos();
  const others = await queue.store.others();
  const item = (act) => {
    const row = document.createElement("li");
    row.dataset.act = act.id;
    row.dataset.state = act.state;
    const what = act.kind === "fact" ? WHAT()[act.body.act] : act.kind === "pass" ? say("当面交接", "Passed on the road") : act.kind === "coming" ? say("告诉对方", "Told who waits") : say("告诉调度", "Told the dispatcher");
    const name = Object.assign(document.createElement("b"), { textContent: `${what} · ${act.label}` });
    const detail = Object.assign(document.createElement("small"), { textContent: `${timeOf(act.made)} · ${stateWords(queue, act)}` });
    const line = document.createElement("span");
    line.append(name, detail);
    row.append(line);
    if (isOpen(act)) {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "small again", textContent: say("现在再试", "Try now") });
      button.addEventListener("click", () => queue.send({ all: true }));
      row.append(button);
    }
    return row;
  };
  list.replaceChildren(...acts.map(item), ...photos.map((photo) => {
    const row = document.createElement("li");
    row.dataset.photo = photo.id;
    row.append(Object.assign(document.createElement("span"), { textContent: `${photo.kind === "photo" ? say("照片", "Photo") : say("签名", "Signature")} ${Math.ceil(photo.size / 1024)} KB · ${photo.words || say("信号好时发出", "goes when the signal allows")}` }));
    if (photo.words) {
      const button = Object.assign(document.createElement("button"), { type: "button", className: "small", textContent: say("不再发这张", "Give it up") });
      button.addEventListener("click", async () => { await queue.store.dropPhoto(photo); await show(queue); });
      row.append(button);
    }
    return row;
  }));
  page.querySelector(".nothing").hidden = acts.length + photos.length > 0;
  const note = page.querySelector(".others");
  note.hidden = !others;
  note.textContent = others ? say(`本机另有 ${others} 项是他人的记录，已加密，须本人登录后发出。`, `${others} more on this phone are another courier's, sealed until they sign in.`) : "";
  const lost = page.querySelector(".volatile");
  lost.hidden = !acts.some((act) => act.isVolatile && isOpen(act));
}

function stateWords(queue, act) {
  if (act.state === "taken") return say("已入账", "in the record");
  if (act.state === "held") return `${say("调度处理中", "with the dispatcher")}：${act.words}`;
  if (queue.trouble === "login") return say("等您重新登录后发出，记录已保存", "kept; sent when you sign in again");
  if (queue.trouble === "other") return say("本机现在是他人登录，等您本人登录后发出", "another courier is signed in; sent when you sign in");
  const code = act.coded ? say("；验证码还没有核对", "; code not checked yet") : "";
  if (act.tries) return `${act.words}，${timeOf(act.next)} ${say("自动再试", "next try")}${act.passedOn ? say("，已告诉调度", ", the dispatcher knows") : ""}${code}`;
  return say("等信号，自动发出", "waits for signal") + code;
}

const timeOf = (ms) => new Date(ms + (now() - Date.now()) + 8 * 3600_000).toISOString().slice(11, 16);

function promoteNext() {
  const next = run().querySelector(".stops.next");
  if (!next) return;
  const over = (item) => ["done", "failed"].includes(item.dataset.state);
  const first = next.querySelector("li");
  if (!first || !over(first)) return;
  const coming = [...run().querySelectorAll("#list .stops:not(.next) > li")].find((item) => !over(item) && !item.closest("details"));
  const done = run().querySelector("details.done .stops");
  if (done) done.append(first); else if (coming) coming.parentElement.append(first);
  if (coming) next.append(coming);
  if (next.querySelector("li") && over(next.querySelector("li")) === false) promoteNext();
}

function progress() {
  const line = run().querySelector(".progress-line");
  if (!line) return;
  const done = [...run().querySelectorAll("#list li[data-stop]")].filter((item) => ["done", "failed"].includes(item.dataset.state)).length;
  line.querySelector("b").textContent = done;
  line.querySelector("progress").value = done;
}

export function windows() {
  if (!run()) return;
  const s = secondOfDay();
  for (const left of run().querySelectorAll(".left")) {
    const [opens, closes] = [Number(left.dataset.opens), Number(left.dataset.closes)];
    const minutes = Math.floor((closes - s) / 60);
    left.textContent = s < opens ? say(`${Math.ceil((opens - s) / 60)} 分钟后开始`, `opens in ${Math.ceil((opens - s) / 60)} min`) : s <= closes ? say(`还剩 ${minutes} 分钟`, `${minutes} min left`) : say("已过时段", "window over");
    left.classList.toggle("soon", s >= opens && minutes < 30);
  }
}
