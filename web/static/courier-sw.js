/* The courier's page without signal: today's run from the network, else as it was last kept, until the shift is over. */
"use strict";

const SHELL = "daiban-shell-3";
const RUN = "daiban-run";
const PATIENCE_MS = 4000;
const FILES = ["/static/daiban.css", "/static/daiban.js", "/static/courier.js", "/static/vendor/idb/idb.js", "/static/vendor/signature_pad/signature_pad.js", "/static/icon.svg", "/static/courier-192.png", "/run/manifest.webmanifest"];

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const shell = await caches.open(SHELL);
    await shell.addAll(FILES);
    await shell.add(new Request("/run/ended", { credentials: "omit" }));
    await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith("daiban-") && ![SHELL, RUN].includes(name)) await caches.delete(name);
    await self.clients.claim();
  })());
});

async function kept() {
  const found = await (await caches.open(RUN)).match("/run");
  if (found && Number(found.headers.get("X-Keep-Until")) > Date.now()) return found;
  await caches.delete(RUN);
  return null;
}

async function fresh(request) {
  const answer = await fetch(request);
  if (answer.ok && !answer.redirected && answer.headers.has("X-Keep-Until")) {
    await (await caches.open(RUN)).put("/run", answer.clone());
  }
  return answer;
}

async function page(request) {
  const path = new URL(request.url).pathname;
  const coming = fresh(request);
  coming.catch(() => {});
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, null));
  try {
    const answer = await Promise.race([coming, late]);
    if (answer) return answer;
    return (path === "/run" && await kept()) || await coming;
  } catch {
    const found = await kept();
    if (!found) return (await (await caches.open(SHELL)).match("/run/ended")) || Response.error();
    const stop = path.match(/^\/run\/stops\/(\d+)$/);
    return path === "/run" ? found : Response.redirect(stop ? `/run#stop-${stop[1]}` : "/run", 302);
  }
}

async function file(request) {
  const shell = await caches.open(SHELL);
  const found = await shell.match(request, { ignoreSearch: true });
  const coming = fetch(request).then(async (answer) => {
    if (answer.ok && answer.type === "basic") await shell.put(request, answer.clone());
    return answer;
  });
  if (!found) return coming;
  coming.catch(() => {});
  return found;
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (event.request.mode === "navigate" && (url.pathname === "/run" || url.pathname.startsWith("/run/"))) event.respondWith(page(event.request));
  else if (FILES.includes(url.pathname)) event.respondWith(file(event.request));
});
