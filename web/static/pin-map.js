/* Where an address is: a pin that a person clicks, drags or picks from what was found; the form takes its point. */
"use strict";

const holder = document.getElementById("pin-map");
const fields = { lon: document.getElementsByName("lon")[0], lat: document.getElementsByName("lat")[0] };

async function drawPin(L) {
  L.Icon.Default.imagePath = holder.dataset.images;
  const start = [Number(holder.dataset.lat), Number(holder.dataset.lon)];
  const map = L.map(holder, { minZoom: 6, maxZoom: 17, attributionControl: false }).setView(start, 12);
  if (holder.dataset.tiles) L.tileLayer(holder.dataset.tiles).addTo(map);
  const counties = await fetch(holder.dataset.counties).then((answer) => answer.json()).catch(() => null);
  if (counties) L.geoJSON(counties, { style: { color: "#9aa3af", weight: 1, fillColor: "#f2f4f7", fillOpacity: 0.6 }, interactive: false }).addTo(map);
  let pin = null;
  const put = (point, zoom) => {
    if (pin) pin.setLatLng(point);
    else {
      pin = L.marker(point, { draggable: true, autoPan: true }).addTo(map);
      pin.on("dragend", () => put(pin.getLatLng()));
    }
    const { lat, lng } = pin.getLatLng();
    fields.lon.value = lng.toFixed(6);
    fields.lat.value = lat.toFixed(6);
    if (zoom) map.setView(point, zoom);
  };
  map.on("click", (event) => put(event.latlng));
  for (const button of document.querySelectorAll(".pick")) button.addEventListener("click", () => put([Number(button.dataset.lat), Number(button.dataset.lon)], 15));
  if (holder.dataset.placed) put(start);
  holder.closest("details")?.addEventListener("toggle", () => map.invalidateSize());
  holder.dataset.ready = "1";
}

if (holder && window.L) drawPin(window.L);
