/* The server's clock by measured offset: windows on the phone follow it, whatever the phone's own clock says. */

const KEPT = "daiban-clock";
let offset = null;
let best = Infinity;

/* `now_ms` is the server's moment; asked and answered by the phone's clock. The quickest answer is the truest. */
export function measured(nowMs, askedMs, answeredMs) {
  const took = answeredMs - askedMs;
  if (took > best && offset !== null) { best += 200; return; } // an old measure grows stale
  best = took;
  offset = nowMs - (askedMs + answeredMs) / 2;
  try { localStorage.setItem(KEPT, String(offset)); } catch { /* said anew by the next answer */ }
}

export function begin(pageOffsetMs) {
  let kept = null;
  try { kept = localStorage.getItem(KEPT); } catch { /* private mode */ }
  offset = kept === null ? pageOffsetMs : Number(kept);
}

export const now = () => Date.now() + (offset ?? 0);

/* Seconds of the day in Jiangsu. */
export function secondOfDay() {
  const local = new Date(now() + 8 * 3600_000);
  return local.getUTCHours() * 3600 + local.getUTCMinutes() * 60 + local.getUTCSeconds();
}
