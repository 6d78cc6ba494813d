/* The site's map: counties as the base, a pin that is clicked or dragged; choosing a county lists its towns. */
"use strict";

const map_box = document.getElementById("site-map");
const county = document.getElementById("county");
const place = document.getElementById("place");
const lon = document.getElementById("lon");
const lat = document.getElementById("lat");

let onTowns = () => {};

/* A name as an element of its own: the map would read words as markup. */
function asText(name) {
  const shown = document.createElement("span");
  shown.textContent = name;
  return shown;
}

async function listTowns(code) {
  place.replaceChildren(place.options[0]);
  place.value = "";
  if (!code) return;
  const answer = await fetch(`${county.dataset.places}?county=${encodeURIComponent(code)}`, { headers: { Accept: "application/json" } });
  if (!answer.ok) return;
  const found = await answer.json();
  if (county.value !== code) return;
  for (const town of found.places) {
    const option = new Option(town.name, town.code);
    option.dataset.lon = town.lon;
    option.dataset.lat = town.lat;
    place.append(option);
  }
  onTowns();
}

function pointOf(select) {
  const option = select.selectedOptions[0];
  return option?.dataset.lon ? [Number(option.dataset.lat), Number(option.dataset.lon)] : null;
}

if (map_box && window.L) {
  document.body.classList.add("scripted");
  const L = window.L;
  L.Icon.Default.imagePath = map_box.dataset.images;
  const map = L.map(map_box, { minZoom: 6, maxZoom: 17, zoomControl: true, attributionControl: false });
  if (map_box.dataset.tiles) L.tileLayer(map_box.dataset.tiles).addTo(map);
  const words = document.getElementById("pin-words");
  const plain = { weight: 1, color: "#8a94a3", fillColor: "#eceff3", fillOpacity: 0.9 };
  const chosen = { weight: 2, color: "#123f7a", fillColor: "#dbe5f3", fillOpacity: 0.9 };
  let shapes = null;
  let pin = null;

  const setPin = (point) => {
    lat.value = point.lat.toFixed(6);
    lon.value = point.lng.toFixed(6);
    words.textContent = map_box.dataset.set;
    if (pin) pin.setLatLng(point);
    else {
      pin = L.marker(point, { draggable: true, autoPan: true }).addTo(map);
      pin.on("dragend", () => setPin(pin.getLatLng()));
    }
  };
  /* The towns of the county as named dots: something to go by where there are no tiles. */
  const dots = L.layerGroup().addTo(map);
  onTowns = () => {
    dots.clearLayers();
    for (const option of place.options) {
      if (!option.dataset.lon) continue;
      const dot = L.circleMarker([Number(option.dataset.lat), Number(option.dataset.lon)], { radius: 4, weight: 1, color: "#4a5362", fillColor: "#fff", fillOpacity: 1 });
      dot.bindTooltip(asText(option.text), { permanent: true, direction: "right", offset: [4, 0], className: "town" });
      dot.on("click", (event) => { place.value = option.value; setPin(event.latlng); L.DomEvent.stop(event); });
      dots.addLayer(dot);
    }
  };
  /* All that an address may mean, with how near each is; the middle of an area is shown, never taken for the place. */
  const candidates = document.getElementById("pin-candidates");
  const listCandidates = (found) => {
    candidates.replaceChildren(...found.map((one) => {
      const line = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "small";
      button.textContent = `${one.written || address.value} · ${one.words}`;
      button.addEventListener("click", () => {
        const point = L.latLng(one.lat, one.lon);
        if (one.quality === "area") words.textContent = map_box.dataset.near;
        else setPin(point);
        map.setView(point, one.quality === "area" ? 13 : 15);
      });
      line.append(button);
      return line;
    }));
    candidates.hidden = found.length === 0;
  };
  /* A written address without a pin: where it may lie is asked once, and shown for the person to confirm or move. */
  const address = document.getElementById("address");
  address?.addEventListener("change", async () => {
    if (!map_box.dataset.find || pin || !address.value.trim() || !county.value) return;
    const told = new URLSearchParams({ county: county.value, place: place.value, address: address.value });
    const token = document.querySelector("[name=csrf_token]").value;
    const answer = await fetch(map_box.dataset.find, { method: "POST", body: told, headers: { "X-CSRFToken": token } }).catch(() => null);
    const told_of = answer?.ok ? await answer.json() : { point: null, candidates: [] };
    const found = told_of.point;
    listCandidates(told_of.candidates);
    if (pin) return;
    if (!found) {
      const near = told_of.candidates[0];
      if (near) {
        map.setView([near.lat, near.lon], 13);
        words.textContent = map_box.dataset.near;
      }
      return;
    }
    setPin(L.latLng(found.lat, found.lon));
    words.textContent = map_box.dataset.found;
    map.setView(pin.getLatLng(), 13);
  });
  const paint = () => shapes?.eachLayer((shape) => shape.setStyle(shape.feature.properties.code === county.value ? chosen : plain));

  map.setView([32.9, 119.4], 7);
  fetch(map_box.dataset.counties).then((answer) => answer.json()).then((data) => {
    shapes = L.geoJSON(data, {
      style: plain,
      onEachFeature: (feature, shape) => {
        shape.bindTooltip(asText(feature.properties.name), { sticky: true });
        shape.on("click", (event) => {
          setPin(event.latlng);
          const code = feature.properties.code;
          if (county.value !== code && [...county.options].some((option) => option.value === code)) {
            county.value = code;
            paint();
            listTowns(code);
          }
        });
      },
    }).addTo(map);
    paint();
    onTowns();
    map_box.dataset.ready = "1";
  });

  if (lat.value && lon.value) {
    setPin(L.latLng(Number(lat.value), Number(lon.value)));
    map.setView(pin.getLatLng(), 12);
  } else {
    const start = pointOf(place) || pointOf(county);
    if (start) map.setView(start, 11);
  }
  county.addEventListener("change", () => {
    paint();
    listTowns(county.value);
    const point = pointOf(county);
    if (point) map.setView(point, 10);
  });
  place.addEventListener("change", () => {
    const point = pointOf(place);
    if (point) map.setView(point, 13);
  });
} else if (county && place) {
  county.addEventListener("change", () => listTowns(county.value));
}
