// A receipt checks itself, without a network: docs/custody-receipts.md says how, step by step.
"use strict";
const bytes = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
const unhex = text => Uint8Array.from(text.match(/../g) || [], pair => parseInt(pair, 16));
const hex = data => Array.from(data, one => one.toString(16).padStart(2, "0")).join("");
const joined = (...parts) => Uint8Array.from(parts.flatMap(part => Array.from(part)));
const sha = async (...parts) => new Uint8Array(await crypto.subtle.digest("SHA-256", joined(...parts)));
const utf8 = text => new TextEncoder().encode(text);
const LATE_MS = 3 * 86400000;

/* Who signs, of "name+key id+base64(kind, key)". */
async function keyOf(line) {
  const cut = line.indexOf("+"), typed = bytes(line.slice(line.indexOf("+", cut + 1) + 1));
  const name = line.slice(0, cut), id = hex((await sha(utf8(`${name}\n`), typed)).slice(0, 4));
  if (!line.startsWith(`${name}+${id}+`)) throw "key";
  return {name, id, known: await crypto.subtle.importKey("raw", typed.slice(1), "Ed25519", false, ["verify"])};
}

/* What the signature line of this key holds behind the key id; null where it has none. */
function signatureOf(note, key) {
  for (const line of note.slice(note.indexOf("\n\n") + 2).split("\n")) {
    const [dash, name, blob] = line.split(" ");
    if (dash === "—" && name === key.name && hex(bytes(blob).slice(0, 4)) === key.id) return bytes(blob).slice(4);
  }
  return null;
}

const isBy = (key, signature, text) => crypto.subtle.verify("Ed25519", key.known, signature, utf8(text));

async function readNote(note, line) {
  const key = await keyOf(line), text = note.slice(0, note.indexOf("\n\n") + 1), signature = signatureOf(note, key);
  const [origin, size, root, moment] = text.split("\n");
  if (signature === null || origin !== key.name) throw "key";
  if (!await isBy(key, signature, text)) throw "changed";
  return {size: Number(size), root: hex(bytes(root)), at: Date.parse(moment.slice(5))};
}

/* The names of those witnesses who signed the note; one whose line does not fit is named as a fault. */
async function witnessesOf(note, lines) {
  const text = note.slice(0, note.indexOf("\n\n") + 1), names = [];
  for (const line of lines) {
    const key = await keyOf(line), signed = signatureOf(note, key);
    if (signed === null) continue;
    const moment = signed.slice(0, 8).reduce((sum, one) => sum * 256 + one, 0);
    if (!await isBy(key, signed.slice(8), `cosignature/v1\ntime ${moment}\n${text}`)) throw "witness";
    names.push(key.name);
  }
  return names;
}

async function rootFrom(line, position, size, proof) {
  let [fn, sn, r] = [position, size - 1, await sha([0], line)];
  if (position >= size) throw "changed";
  for (const p of proof) {
    if (sn === 0) throw "changed";
    if (fn % 2 || fn === sn) {
      r = await sha([1], p, r);
      while (fn % 2 === 0 && fn) [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
    } else r = await sha([1], r, p);
    [fn, sn] = [Math.floor(fn / 2), Math.floor(sn / 2)];
  }
  if (sn) throw "changed";
  return hex(r);
}

async function check(receipt, key) {
  const note = await readNote(receipt.checkpoint, key);
  let [before, digest] = [null, ""];
  for (const one of receipt.handovers) {
    const line = utf8(one.line), said = JSON.parse(one.line);
    if (await rootFrom(line, one.position, note.size, one.proof.map(unhex)) !== note.root) throw "changed";
    if (said.waybill !== receipt.waybill) throw "changed";
    if (said.seq > (before ? before.seq : 0) + 1) throw "deleted";
    if (said.seq < (before ? before.seq : 0) + 1) throw "reordered";
    if (said.previous !== digest || (before && said.from.join() !== before.to.join())) throw "changed";
    if (one.logged_after) {
      const after = await readNote(one.logged_after, key);
      if (after.size > one.position) throw "changed";
      if (said.at / 1000 + LATE_MS < after.at) throw "backdated";
    }
    [before, digest] = [said, hex(await sha(line))];
  }
  return note;
}

const words = JSON.parse(document.getElementById("words").textContent);
const receipt = JSON.parse(document.getElementById("receipt").textContent);
const answer = document.getElementById("answer");
const field = document.getElementById("key");
async function show() {
  answer.className = "busy";
  try {
    await check(receipt, field.value.trim());
    const names = await witnessesOf(receipt.checkpoint, receipt.witnesses);
    [answer.className, answer.textContent] = ["right", `${words.right} ${names.length ? words.witnessed + names.join(", ") : words.alone}`];
  } catch (found) {
    answer.className = "wrong";
    answer.textContent = words[found] || words.unable;
  }
}
field.value = receipt.key;
field.addEventListener("change", show);
show();
