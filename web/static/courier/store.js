/* What is kept on the phone: every act and photo of one courier, sealed with that courier's key.

   Another courier on the same phone sees how many of the first's acts wait, and nothing of them. Without IndexedDB, or with
   no room left, an act is held in memory and `volatile` says so: it is sent at once and the page asks not to be closed. */

const NAME = "daiban-courier";

async function database() {
  return idb.openDB(NAME, 2, {
    upgrade(db, from) {
      if (from < 1) db.createObjectStore("acts", { keyPath: "n", autoIncrement: true });
      if (from < 2) {
        db.createObjectStore("sealed", { keyPath: "n", autoIncrement: true }).createIndex("courier", "courier");
        db.createObjectStore("photos", { keyPath: "id" }).createIndex("courier", "courier");
        db.createObjectStore("meta");
      }
    },
    blocked() {}, blocking(_current, _wanted, event) { event.target.close(); },
  });
}

export class Store {
  static async open(courier, key) {
    const store = new Store();
    store.courier = courier;
    store.volatile = [];
    store.key = key && crypto.subtle ? await crypto.subtle.importKey("raw", Uint8Array.from(atob(key), (c) => c.charCodeAt(0)), "AES-GCM", false, ["encrypt", "decrypt"]) : null;
    try { store.db = await database(); } catch { store.db = null; }
    if (store.db && courier) await store.sealOld().catch(() => {});
    return store;
  }

  /* Acts of the program before sealing: sealed when their courier opens the page. */
  async sealOld() {
    for (const old of await this.db.getAll("acts")) {
      if (old.courier !== this.courier) continue;
      const { n, files = [], pin, ...act } = old;
      if (act.state === "sent") { await this.db.delete("acts", n); continue; }
      const event = act.body?.event_id || crypto.randomUUID();
      const body = pin ? { event_id: event, topic: "entrance", note: "", stop: act.stop, lon: Number(pin.lon), lat: Number(pin.lat) } : act.body;
      await this.put({ ...act, kind: pin ? "tell" : "fact", id: event, state: "waiting", tries: 0, next: 0, body });
      for (const file of files) if (file.blob) await this.putPhoto({ id: crypto.randomUUID(), event, kind: file.kind }, file.blob);
      await this.db.delete("acts", n);
    }
  }

  async seal(bytes) {
    if (!this.key) return { plain: bytes };
    const iv = crypto.getRandomValues(new Uint8Array(12));
    return { iv, data: await crypto.subtle.encrypt({ name: "AES-GCM", iv }, this.key, bytes) };
  }
  async unseal(row) {
    if (row.plain) return row.plain;
    return crypto.subtle.decrypt({ name: "AES-GCM", iv: row.iv }, this.key, row.data);
  }

  async rows(from) { return this.db ? this.db.getAllFromIndex(from, "courier", this.courier) : []; }

  async all() {
    const acts = [];
    for (const row of await this.rows("sealed")) {
      try { acts.push({ ...JSON.parse(new TextDecoder().decode(await this.unseal(row))), n: row.n }); } catch { /* another key's */ }
    }
    return [...acts, ...this.volatile].sort((a, b) => a.n - b.n);
  }

  /* The number under which the act is kept. Throws where the phone has no room for it. */
  async put(act) {
    if (act.isVolatile) return act.n;
    const { n, ...plain } = act;
    if (!this.db) throw new Error("no storage");
    const row = { courier: this.courier, ...(await this.seal(new TextEncoder().encode(JSON.stringify(plain)))) };
    if (n !== undefined) row.n = n;
    return this.db.put("sealed", row);
  }
  hold(act) {
    act.isVolatile = true;
    act.n = 1e9 + this.volatile.length;
    this.volatile.push(act);
  }
  async get(n) { return (await this.all()).find((act) => act.n === n); }
  async drop(act) {
    if (act.isVolatile) this.volatile = this.volatile.filter((other) => other !== act);
    else await this.db.delete("sealed", act.n);
    for (const photo of await this.photosOf(act.id)) await this.dropPhoto(photo);
  }

  async putPhoto(photo, blob) {
    const row = { ...photo, courier: this.courier, size: blob.size, type: blob.type, ...(await this.seal(await blob.arrayBuffer())) };
    await this.db.put("photos", row);
  }
  async photosOf(event) { return (await this.rows("photos")).filter((photo) => photo.event === event); }
  async photos() { return this.rows("photos"); }
  async bytesOf(photo) { return this.unseal(photo); }
  async updatePhoto(photo) { await this.db.put("photos", photo); }
  async dropPhoto(photo) { await this.db.delete("photos", photo.id); }

  /* How many acts of other couriers wait here, sealed. */
  async others() {
    if (!this.db) return 0;
    const all = await this.db.count("sealed");
    return all - (await this.db.countFromIndex("sealed", "courier", this.courier)) + (await this.db.count("acts"));
  }

  async remember(name, value) { if (this.db) await this.db.put("meta", value, name).catch(() => {}); }
  async recall(name) { return this.db ? this.db.get("meta", name) : undefined; }
}
