/* Proofs: a signature on the glass, and photos made as small as they may be; one that cannot be opened is told at once. */

import { say } from "./words.js";

const pads = new WeakMap();

export function readySignatures() {
  if (!window.SignaturePad) return;
  for (const canvas of document.querySelectorAll(".stop.open .sign canvas")) {
    if (pads.has(canvas) || !canvas.clientWidth) continue;
    canvas.width = canvas.clientWidth * 2;
    canvas.height = canvas.clientHeight * 2;
    canvas.getContext("2d").scale(2, 2);
    pads.set(canvas, new SignaturePad(canvas, { minWidth: 1, maxWidth: 3, penColor: "#000" }));
  }
}
export const padOf = (form) => pads.get(form.querySelector(".sign canvas"));
export const signed = (form) => Boolean(padOf(form) && !padOf(form).isEmpty());

const slow = () => ["slow-2g", "2g", "3g"].includes(navigator.connection?.effectiveType);

/* A small JPEG, or null where the picture cannot be opened here (HEIC on many phones, a damaged file). */
async function small(file) {
  const picture = await createImageBitmap(file).catch(() => null);
  if (!picture) return null;
  const [side, quality] = slow() ? [960, 0.6] : [1280, 0.72];
  const scale = Math.min(1, side / Math.max(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(picture.width * scale);
  canvas.height = Math.round(picture.height * scale);
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
}

/* What was photographed and signed, ready to keep; `unreadable` counts photos that nobody could open. */
export async function proofsOf(form) {
  const found = [];
  let unreadable = 0;
  for (const file of [...(form.elements.photo?.files || [])].slice(0, 3)) {
    const blob = await small(file);
    if (blob) found.push({ kind: "photo", blob }); else unreadable += 1;
  }
  if (signed(form)) found.push({ kind: "signature", blob: await new Promise((done) => form.querySelector(".sign canvas").toBlob(done, "image/png")) });
  return { found: found.filter((file) => file.blob), unreadable };
}

/* A photo that cannot be opened is said where it was chosen, before the act. */
export async function checkPhotos(input, tell) {
  for (const file of input.files) {
    if (await createImageBitmap(file).then((picture) => (picture.close(), true), () => false)) continue;
    input.value = "";
    tell(say("这张照片打不开，请用相机重拍（JPEG 格式）", "This photo cannot be opened: take it again (as JPEG)"));
    return;
  }
}
