/* The map of the day: counties in two greys, centres, runs in colours; the list and the map highlight each other. */
"use strict";

const holder = document.getElementById("day-map");
const COLOURS = ["#0b5fa5", "#b5480a", "#00705a", "#a4357a", "#6b5900", "#5b3fa8", "#1a1f27", "#0f7f9c"];

function rowOf(id) { return document.querySelector(`.map-list [data-stop="${id}"]`); }

function light(id, marker, on) {
  for (const other of document.querySelectorAll(".is-lit")) other.classList.remove("is-lit");
  if (!on) return;
  rowOf(id)?.classList.add("is-lit");
  document.querySelector(`.gantt [data-stop="${id}"]`)?.classList.add("is-lit");
  marker?.getElement()?.classList.add("is-lit");
}

function bringIntoView(id) {
  const row = rowOf(id);
  if (!row) return;
  row.closest("details").open = true;
  row.scrollIntoView({ block: "nearest" });
}

function dot(L, stop, colour, words) {
  const icon = L.divIcon({ className: `map-dot run-${colour}${stop[6] === "done" ? " is-done" : ""}`, html: String(words), iconSize: [22, 22] });
  return L.marker([stop[1], stop[2]], { icon, title: stop[4] ?? stop[3], keyboard: false });
}

async function drawMap(L) {
  const day = JSON.parse(holder.dataset.day);
  const map = L.map(holder, { zoomControl: true, attributionControl: false, zoomSnap: 0.5 });
  map.setView(day.centre, 11);
  const markers = new Map();
  const bounds = [];
  for (const [name, lat, lon] of day.centres) {
    L.marker([lat, lon], { icon: L.divIcon({ className: "map-centre", iconSize: [14, 14] }), title: name, zIndexOffset: 500, keyboard: false }).addTo(map);
    bounds.push([lat, lon]);
  }
  for (const stop of day.waiting) {
    const marker = L.marker([stop[1], stop[2]], { icon: L.divIcon({ className: "map-dot waits", iconSize: [12, 12] }), title: stop[3], keyboard: false }).addTo(map);
    markers.set(String(stop[0]), marker);
    bounds.push([stop[1], stop[2]]);
  }
  for (const run of day.runs) {
    const color = COLOURS[run.colour - 1];
    const planned = run.stops.map((stop) => [stop[1], stop[2]]);
    const ends = run.depot ? [run.depot] : [];
    L.polyline([...ends, ...planned, ...ends], { color, weight: 1.5, opacity: 0.9 }).addTo(map);
    const driven = run.stops.filter((stop) => stop[5] !== null).sort((a, b) => a[5] - b[5]).map((stop) => [stop[1], stop[2]]);
    if (driven.length) L.polyline([...ends, ...driven], { color, weight: 5, opacity: 0.75 }).addTo(map);
    for (const stop of run.stops) {
      markers.set(String(stop[0]), dot(L, stop, run.colour, stop[3]).addTo(map));
      bounds.push([stop[1], stop[2]]);
    }
  }
  for (const [id, marker] of markers) {
    marker.on("mouseover", () => light(id, marker, true));
    marker.on("mouseout", () => light(id, marker, false));
    marker.on("click", () => { bringIntoView(id); light(id, marker, true); });
  }
  for (const place of document.querySelectorAll(".map-list [data-stop], .gantt [data-stop]")) {
    const id = place.dataset.stop;
    place.addEventListener("mouseenter", () => light(id, markers.get(id), true));
    place.addEventListener("mouseleave", () => light(id, markers.get(id), false));
    place.addEventListener("focus", () => light(id, markers.get(id), true));
    place.addEventListener("click", () => {
      const marker = markers.get(id);
      if (marker) map.setView(marker.getLatLng(), Math.max(map.getZoom(), 13));
      bringIntoView(id);
      light(id, marker, true);
    });
    if (place.matches(".map-list [data-stop]")) {
      place.tabIndex = 0;
      place.addEventListener("keydown", (event) => { if (event.key === "Enter") place.click(); });
    }
  }
  if (bounds.length > 1) map.fitBounds(bounds, { padding: [24, 24] });
  if (holder.dataset.tiles) {
    L.tileLayer(holder.dataset.tiles).addTo(map);
    return;
  }
  const answer = await fetch(holder.dataset.counties);
  if (!answer.ok) return;
  const counties = await answer.json();
  const here = holder.dataset.code.slice(0, 6);
  L.geoJSON(counties, {
    interactive: false,
    style: (feature) => {
      const code = String(feature.properties.code ?? feature.properties.adcode ?? feature.id ?? "");
      return { color: "#aab2bd", weight: 1, fillColor: code.startsWith(here) ? "#f3f4f6" : "#dfe3e8", fillOpacity: 1 };
    },
  }).addTo(map).bringToBack();
}

if (holder && window.L) drawMap(window.L);
