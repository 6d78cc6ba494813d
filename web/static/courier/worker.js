/* The courier's pages without signal: as they were last kept, until the shift is over, and always of one version.

   VERSION and FILES are written above by the server: each version keeps its own files, and a page of another version is
   never mixed into them. A new version waits until the page says that nobody is in the middle of something. */
"use strict";

const SHELL = `daiban-shell-${VERSION}`;
const RUN = "daiban-run";
const PATIENCE_MS = 4000;

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    const shell = await caches.open(SHELL);
    await shell.addAll(FILES);
    await shell.add(new Request("/run/ended", { credentials: "omit" }));
    if (!self.registration.active) await self.skipWaiting();
  })());
});

self.addEventListener("activate", (event) => {
  event.waitUntil((async () => {
    for (const name of await caches.keys()) if (name.startsWith("daiban-shell-") && name !== SHELL) await caches.delete(name);
    await self.clients.claim();
  })());
});

self.addEventListener("message", (event) => { if (event.data === "activate") self.skipWaiting(); });

async function kept(path) {
  const run = await caches.open(RUN);
  const found = await run.match(path);
  if (found && Number(found.headers.get("X-Keep-Until")) > Date.now()) return found;
  if (found) await run.delete(path);
  return null;
}

async function fresh(request, path) {
  const answer = await fetch(request);
  if (answer.ok && !answer.redirected && answer.headers.has("X-Keep-Until")) {
    const run = await caches.open(RUN);
    const before = await run.match("/run");
    if (before && before.headers.get("X-Courier") !== answer.headers.get("X-Courier")) for (const other of await run.keys()) await run.delete(other);
    if (answer.headers.get("X-Program") === VERSION) await run.put(path, answer.clone());
  }
  return answer;
}

async function page(request) {
  const path = new URL(request.url).pathname;
  const coming = fresh(request, path);
  coming.catch(() => {});
  const late = new Promise((resolve) => setTimeout(resolve, PATIENCE_MS, null));
  try {
    const answer = await Promise.race([coming, late]);
    if (!answer) return (await kept(path)) || await coming;
    if (answer.status >= 500) return (await kept(path)) || answer;
    if (answer.headers.get("X-Program") && answer.headers.get("X-Program") !== VERSION) {
      self.registration.update().catch(() => {});
      const before = await kept(path);
      if (before && before.headers.get("X-Courier") === answer.headers.get("X-Courier")) return before;
    }
    return answer;
  } catch {
    const found = await kept(path);
    if (found) return found;
    if (!(await kept("/run"))) return (await (await caches.open(SHELL)).match("/run/ended")) || Response.error();
    const stop = path.match(/^\/run\/stops\/(\d+)$/);
    return Response.redirect(stop ? `/run#stop-${stop[1]}` : "/run#offline", 302);
  }
}

async function file(request) {
  return (await (await caches.open(SHELL)).match(request, { ignoreSearch: true })) || fetch(request);
}

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (event.request.mode === "navigate" && (url.pathname === "/run" || url.pathname.startsWith("/run/"))) event.respondWith(page(event.request));
  else if (url.pathname.startsWith("/assets/") || FILES.includes(url.pathname)) event.respondWith(file(event.request));
});
