// ---- Keyboard and pointer.

let current = null;

/** The element of a cell. */
function cellAt({ row, column }) {
  return rowElements[row].cells[column + 1];
}

/** The place of a cell of the matrix; null for anything else. */
function placeIn(element) {
  const cell = element.closest?.("td[class]");
  const row = cell ? rowElements.indexOf(cell.parentElement) : -1;
  return row < 0 ? null : { row, column: cell.cellIndex - 1 };
}

/** What a cell is called by those who do not see it. */
function label(place) {
  const [scenario] = model.rows[place.row];
  return `${scenario}, ${told(columns[place.column])}: ${model.verdicts[letterAt(place.row, place.column)][0]}`;
}

/** Keep exactly one cell of the shown ones in the order of tabs. */
function rove(place = current) {
  if (current) cellAt(current).tabIndex = -1;
  const stays = place && shownColumns.includes(place.column) && !rowElements[place.row].hidden;
  current = stays ? place : firstCell();
  if (current) cellAt(current).tabIndex = 0;
}

function firstCell() {
  for (const row of shownRows) {
    const column = shownColumns.find((one) => letterAt(row, one) !== ".");
    if (column !== undefined) return { row, column };
  }
  return null;
}

function focusCell(place) {
  if (!place) return;
  rove(place);
  const cell = cellAt(place);
  cell.ariaLabel = label(place);
  cell.focus();
  cell.scrollIntoView({ block: "nearest", inline: "nearest" });
}

/** The next place from one in a direction, over empty places; undefined at the edge. */
function beside(place, down, right) {
  if (right) {
    const order = right > 0 ? shownColumns : [...shownColumns].reverse();
    const column = order.slice(order.indexOf(place.column) + 1).find((one) => letterAt(place.row, one) !== ".");
    return column === undefined ? undefined : { row: place.row, column };
  }
  const order = down > 0 ? shownRows : [...shownRows].reverse();
  const later = order.slice(order.indexOf(place.row) + 1).filter((row) => letterAt(row, place.column) !== ".");
  const row = later[Math.min(Math.abs(down), later.length) - 1];
  return row === undefined ? undefined : { row, column: place.column };
}

const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-10, 0], PageDown: [10, 0] };

/** Where a key leads from a cell; undefined if it is none of these. */
function destination(event, place) {
  if (MOVES[event.key]) return beside(place, ...MOVES[event.key]) || place;
  if (event.key !== "Home" && event.key !== "End") return undefined;
  const cells = event.ctrlKey ? shownCells() : shownCells().filter(({ row }) => row === place.row);
  return event.key === "Home" ? cells[0] : cells.at(-1);
}

function keyInGrid(event) {
  const place = placeIn(event.target);
  if (!place || event.altKey || event.metaKey) return;
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    openCell(place);
    return;
  }
  const to = destination(event, place);
  if (!to) return;
  event.preventDefault();
  focusCell(to);
}

function openCell(place) {
  rove(place);
  opener = cellAt(place);
  go({ ...state(), page: pageOf(state()), cell: nameOf(place) });
}

let afterG = false;
const PAGES = { o: "overview", m: "matrix", c: "changes", f: "figures" };

/** Keys that work everywhere but in fields. */
function keyAnywhere(event) {
  if (event.altKey || event.ctrlKey || event.metaKey || event.target.closest("input, select, textarea")) return;
  const page = afterG ? PAGES[event.key] : undefined;
  afterG = event.key === "g" && !drawer.open;
  if (page && document.querySelector(`[data-page=${page}]`)) go({ page });
  else if (event.key === "/" && !drawer.open) {
    event.preventDefault();
    if (pageOf(state()) !== "matrix") go({ page: "matrix" });
    form.elements.q.focus();
  } else if (event.key === "?") byId("keys").showModal();
}

function keyInDrawer(event) {
  if (event.altKey || event.ctrlKey || event.metaKey) return;
  const move = drawer.querySelector(`.drawer-bar [data-key="${CSS.escape(event.key)}"]`);
  if (move && !move.disabled) move.click();
}

function listen() {
  grid.addEventListener("keydown", keyInGrid);
  grid.addEventListener("click", (event) => {
    const place = placeIn(event.target);
    if (place) openCell(place);
  });
  grid.addEventListener("focusin", (event) => {
    const place = placeIn(event.target);
    if (place) event.target.ariaLabel = label(place);
  });
  grid.addEventListener("pointerover", (event) => {
    const place = placeIn(event.target);
    if (place) event.target.title = label(place);
    else if (event.target.matches("tbody th span")) event.target.title = event.target.textContent;
  });
  document.addEventListener("keydown", keyAnywhere);
  drawer.addEventListener("keydown", keyInDrawer);
  drawer.addEventListener("cancel", (event) => {
    event.preventDefault();
    closeDrawer();
  });
  drawer.addEventListener("close", () => {
    if (opener?.isConnected) opener.focus();
    opener = null;
  });
  drawer.addEventListener("click", (event) => { if (event.target === drawer) closeDrawer(); });
  document.addEventListener("click", followCell);
  form.addEventListener("input", () => go({ ...formState(), cell: state().cell }, document.activeElement === form.elements.q));
  form.elements.q.addEventListener("focus", makeSearchable);
  form.addEventListener("reset", (event) => { event.preventDefault(); go({ page: "matrix" }); });
  form.addEventListener("submit", (event) => event.preventDefault());
  byId("empty").querySelector("button").addEventListener("click", () => go({ page: "matrix" }));
  byId("help").addEventListener("click", () => byId("keys").showModal());
  addEventListener("popstate", render);
  addEventListener("hashchange", render);
}

/** A link to a cell opens it over the page that it stands on; other menus close. */
function followCell(event) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target) || event.target.closest("a")) menu.open = false;
  }
  const anchor = event.target.closest?.("a[href^='#cell=']");
  if (!anchor || drawer.contains(anchor) || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  opener = anchor;
  go({ ...state(), page: pageOf(state()) === "scenario" ? "" : pageOf(state()), cell: new URLSearchParams(anchor.hash.slice(1)).get("cell") });
}
