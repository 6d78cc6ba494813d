/* What the courier hears and sees at once: different for right, wrong and twice. */

import { say } from "./words.js";

const UNDO_S = 10;
const NOTES = { good: [[880, 0], [1320, 0.12]], wrong: [[220, 0], [180, 0.2]], twice: [[520, 0], [520, 0.15]] };
let context;

export function sound(kind) {
  try {
    context ||= new AudioContext();
    for (const [hertz, after] of NOTES[kind]) {
      const tone = context.createOscillator(), volume = context.createGain();
      tone.frequency.value = hertz; tone.type = kind === "wrong" ? "sawtooth" : "sine";
      volume.gain.value = 0.2;
      tone.connect(volume).connect(context.destination);
      tone.start(context.currentTime + after); tone.stop(context.currentTime + after + 0.11);
    }
    navigator.vibrate?.(kind === "good" ? 60 : [120, 60, 120]);
  } catch { /* a phone without sound still shows the band */ }
}

let countdown;
export function showBand(kind, text, undo) {
  const band = document.getElementById("band");
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
export const hideBand = () => { clearInterval(countdown); const band = document.getElementById("band"); if (band) band.hidden = true; };
