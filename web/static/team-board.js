// The board: a stop that is dragged, or moved by Alt and an arrow, leads to what the move would do. Nothing else here.
(() => {
  const board = document.querySelector("[data-board]");
  const address = board?.dataset.board;
  document.querySelector("#effect")?.scrollIntoView({ block: "nearest" });
  for (const bar of document.querySelectorAll(".gantt [data-stop]")) {
    bar.addEventListener("click", () => document.querySelector(`#stop-${bar.dataset.stop}`)?.focus());
  }
  if (!address) return;
  let dragged = null;

  const look = (stop, courier, place) => {
    location.href = `${address}?stop=${stop}&courier=${courier}&place=${place}#effect`;
  };

  board.addEventListener("dragstart", (event) => {
    dragged = event.target.closest("li[draggable]");
    if (dragged) event.dataTransfer.setData("text/plain", dragged.dataset.stop);
  });
  board.addEventListener("dragover", (event) => {
    if (dragged && event.target.closest(".board-row")) event.preventDefault();
  });
  board.addEventListener("drop", (event) => {
    const row = event.target.closest(".board-row");
    if (!dragged || !row) return;
    event.preventDefault();
    const before = event.target.closest("li[data-place]")?.dataset.place;
    look(dragged.dataset.stop, row.dataset.courier, before || Number(row.dataset.left) + 1);
  });
  board.addEventListener("keydown", (event) => {
    const arrow = { ArrowUp: "[data-up]", ArrowDown: "[data-down]" }[event.key];
    if (!event.altKey || !arrow) return;
    event.preventDefault();
    event.target.closest("li[data-stop]")?.querySelector(arrow)?.click();
  });
})();
