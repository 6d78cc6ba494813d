/* The camera reads waybills: the phone's own BarcodeDetector, else ZXing; torch where the camera has one; keys else. */

import { scan } from "./load.js";
import { showBand, sound } from "./sounds.js";
import { say } from "./words.js";

const FORMATS = ["code_128", "code_39", "qr_code"];

async function detector(base) {
  if ("BarcodeDetector" in window) {
    const known = await BarcodeDetector.getSupportedFormats().catch(() => []);
    if (known.includes("code_128")) return new BarcodeDetector({ formats: FORMATS.filter((format) => known.includes(format)) });
  }
  if (!window.BarcodeDetectionAPI) {
    await new Promise((done, failed) => {
      const script = Object.assign(document.createElement("script"), { src: `${base}vendor/barcode-detector/ponyfill.js`, onload: done, onerror: failed });
      document.head.append(script);
    });
    BarcodeDetectionAPI.setZXingModuleOverrides({ locateFile: (name) => `${base}vendor/barcode-detector/${name}` });
  }
  return new BarcodeDetectionAPI.BarcodeDetector({ formats: FORMATS });
}

/* What was read goes to whoever asked: a load form counts it, a card ticks the envelope. */
function take(form, value) {
  if (form.matches("form.load")) return scan(form, value);
  const box = [...form.querySelectorAll("[data-envelope]")].find((item) => item.dataset.envelope === value);
  if (!box) { sound("wrong"); showBand("bad", `${value} ${say("不属于这一站", "is not of this stop")}`, null); return false; }
  const again = box.classList.contains("seen");
  box.classList.add("seen");
  const found = box.querySelector("input[name=found]");
  if (found) found.checked = true;
  sound(again ? "twice" : "good");
  return !again;
}

export async function openScanner(button) {
  const form = document.getElementById(button.getAttribute("form")) || button.closest("form");
  const base = document.getElementById("chip")?.dataset.assets || "/static/";
  const sheet = document.createElement("dialog");
  sheet.className = "scanner";
  const video = Object.assign(document.createElement("video"), { muted: true, playsInline: true });
  const torch = Object.assign(document.createElement("button"), { type: "button", textContent: say("手电", "Torch"), hidden: true });
  const close = Object.assign(document.createElement("button"), { type: "button", className: "main", textContent: say("完成", "Done") });
  const line = document.createElement("p");
  line.textContent = say("把条码放进画面", "Hold the barcode in the picture");
  sheet.append(video, line, torch, close);
  document.body.append(sheet);
  sheet.showModal();
  let stream = null, ended = false;
  const end = () => { ended = true; stream?.getTracks().forEach((track) => track.stop()); sheet.remove(); };
  close.addEventListener("click", end);
  sheet.addEventListener("cancel", end);
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
    video.srcObject = stream;
    await video.play();
    const [track] = stream.getVideoTracks();
    if (track.getCapabilities?.().torch) {
      torch.hidden = false;
      let lit = false;
      torch.addEventListener("click", () => { lit = !lit; track.applyConstraints({ advanced: [{ torch: lit }] }).catch(() => {}); });
    }
    const reader = await detector(base);
    let last = "", at = 0;
    while (!ended) {
      for (const { rawValue } of await reader.detect(video).catch(() => [])) {
        const value = rawValue.toUpperCase().replace(/\s/g, "");
        if (value === last && Date.now() - at < 2500) continue;
        [last, at] = [value, Date.now()];
        line.textContent = `${value} ${take(form, value) ? "✓" : "■"}`;
      }
      await new Promise((done) => setTimeout(done, 120));
    }
  } catch {
    if (!ended) { end(); sound("wrong"); showBand("warn", say("相机用不了，请输入邮件号", "The camera cannot be used: type the number"), null); }
  }
}
