/* A planning job's page: when the job ends, the page with its result replaces the bar. */
"use strict";

document.addEventListener("htmx:afterSettle", () => {
  if (document.querySelector("[data-reload]")) window.location.reload();
});
