// ---- The matrix: which rows and columns are shown, and what of it is marked.

const grid = byId("grid");
const form = byId("filters");
const families = [...grid.querySelectorAll(".family")];
const blocks = [...grid.querySelectorAll(".block")];
const rowElements = blocks.flatMap((block) => [...block.querySelectorAll("tbody tr")]);
const blockOf = blocks.flatMap((block, number) => Array(block.querySelectorAll("tbody tr").length).fill(number));
const sheet = new CSSStyleSheet();
document.adoptedStyleSheets = [sheet];

const judged = (letter) => letter !== "." && letter !== "i";
const letterOf = Object.fromEntries(Object.entries(model.verdicts).map(([letter, [verdict]]) => [verdict, letter]));
const familyOf = model.families.flatMap(([, , , rows], number) => Array(rows).fill(number));
const changedRows = new Map(Object.entries(model.marks).map(([key, lists]) => [key, new Set(Object.values(lists).flat())]));

/** Height of a row in pixels, at least. */
const ROW = 26;

let shownRows = model.rows.map((_, number) => number);
let shownColumns = columns.map((_, number) => number);
let matches = () => true;
let searchable = null;
let titles = null;

/** The text of each row in small letters: id, statement, operations, and once it is unpacked what cells say. */
function texts() {
  titles ??= rowElements.map((row, number) =>
    `${row.cells[0].textContent} ${model.rows[number][2].map((one) => model.operations[one]).join(" ")}`.toLowerCase());
  return titles;
}

/** Let the search see messages, codes and entries of profiles too. */
function makeSearchable() {
  searchable ??= (async () => {
    const found = texts().map((text) => [text]);
    for (const gateway of model.gateways.keys()) {
      const { strings, cells } = await unpack(`core-${gateway}`);
      for (const [at, cell] of Object.entries(cells)) {
        const [, text, message, entry, , , , , steps] = cell;
        found[at.slice(0, at.indexOf("/"))].push(strings[text], strings[message], strings[entry], ...steps.map((step) => strings[step[4]]));
      }
    }
    titles = found.map((parts) => parts.join(" ").toLowerCase());
    applied = null;
    render();
  })();
}

/** Whether a gateway's clients, or one client's gateways, came to different verdicts in the shown columns. */
function disagree(letters, same) {
  const seen = new Map();
  return shownColumns.some((column) => {
    const letter = letters[column].toLowerCase();
    const group = same(columns[column]);
    if (!judged(letter)) return false;
    if (!seen.has(group)) seen.set(group, letter);
    return seen.get(group) !== letter;
  });
}

/** What a state asks of a row's letters: a function of row number and letters. */
function test(wanted) {
  const hard = wanted.verdict === "failing";
  const letters = hard ? model.failing : letterOf[wanted.verdict] || "";
  const changed = changedRows.get(wanted.view);
  matches = (row, column) => (!letters || letters.includes(letterAt(row, column))) && !(hard && isSoft(row, column)) && (!changed || changed.has(row * columns.length + column));
  const narrowed = Boolean(wanted.gateway || wanted.client || letters || changed);
  const operation = model.operations.indexOf(wanted.op);
  const family = model.families.findIndex(([name]) => name === wanted.family);
  const level = model.levels.indexOf(wanted.level);
  const words = (wanted.q || "").toLowerCase().split(/\s+/).filter(Boolean);
  const content = words.length ? texts() : [];
  return (row) => {
    const [, at, operations, found] = model.rows[row];
    return (!wanted.level || at === level) && (!wanted.family || familyOf[row] === family)
      && (!wanted.op || operations.includes(operation))
      && words.every((word) => content[row].includes(word))
      && (!narrowed || shownColumns.some((column) => found[column] !== "." && matches(row, column)))
      && (wanted.view !== "clients" || disagree(found, ({ gateway }) => gateway))
      && (wanted.view !== "gateways" || disagree(found, ({ client }) => client));
  };
}

let applied = null;

/** Show what a state asks for, from its beginning; nothing is done if that is shown already. */
function applyFilters(wanted) {
  const asked = FILTERS.map((key) => wanted[key] || "").join("\n");
  if (asked === applied) return;
  applied = asked;
  const named = (text) => (text ? text.split(",") : null);
  const gateways = named(wanted.gateway)?.map((name) => gatewayNamed(name));
  const clients = named(wanted.client);
  shownColumns = columns.flatMap(({ gateway, client }, number) =>
    (!gateways || gateways.includes(gateway)) && (!clients || clients.includes(client)) ? [number] : []);
  // What asks for sizes comes before anything changes: later it would make the browser lay out everything at once.
  const seen = seenBlocks();
  const room = grid.clientHeight / ROW;
  grid.scrollTop = 0;
  const wants = test(wanted);
  shownRows = [];
  rowElements.forEach((element, row) => {
    const shown = wants(row);
    if (element.hidden === shown) element.hidden = !shown;
    if (shown) shownRows.push(row);
  });
  hideEmpty(families, familyOf);
  hideEmpty(blocks, blockOf);
  sizeBlocks(seen, room);
  showColumns();
  mark(wanted);
  byId("empty").hidden = shownRows.length > 0 || !rowElements.length;
  byId("shown").textContent = `${shownRows.length.toLocaleString("en")} of ${rowElements.length.toLocaleString("en")} scenarios`;
  rove();
}

/** The numbers of the blocks that are in sight, or so near that browsers lay them out in advance. */
function seenBlocks() {
  const near = 2 * innerHeight;
  const [top, bottom] = [-near, innerHeight + near];
  return new Set([...blocks.keys()].filter((number) => {
    const place = blocks[number].getBoundingClientRect();
    return place.height > 0 && place.bottom > top && place.top < bottom;
  }));
}

/**
 * Tell each block how many rows it shows, by which the browser knows its height before it lays it out; there is room for
 * some in sight. Blocks that were in sight with few rows, and are not with all, would be laid out once more: they are skipped
 * for a frame.
 */
function sizeBlocks(seen, room) {
  const rows = Array(blocks.length).fill(0);
  for (const row of shownRows) rows[blockOf[row]] += 1;
  let left = room;
  blocks.forEach((block, number) => {
    block.style.setProperty("--rows", rows[number]);
    block.classList.toggle("far", seen.has(number) && left < 0);
    left -= rows[number];
  });
  requestAnimationFrame(() => requestAnimationFrame(() => {
    for (const number of seen) blocks[number].classList.remove("far");
  }));
}

/** Hide those of `elements` in which no shown row is. */
function hideEmpty(elements, numbers) {
  const alive = new Set(shownRows.map((row) => numbers[row]));
  elements.forEach((element, number) => {
    if (element.hidden === alive.has(number)) element.hidden = !element.hidden;
  });
}

/** Hide the other columns by one rule of style, and let gateways span what is left. */
function showColumns() {
  const shown = new Set(shownColumns);
  const hidden = columns.flatMap((_, number) => (shown.has(number) ? [] : [`.m :is(tr:not(.g),colgroup)>:nth-child(${number + 2})`]));
  const rules = hidden.length ? `${hidden.join(",")}{display:none}` : "";
  const wide = shownColumns.length;
  sheet.replaceSync(`${rules}:root{--columns:${wide}}`);
  grid.classList.toggle("wordy", wide <= 4);
  grid.classList.toggle("roomy", wide > 4 && wide <= 10);
  grid.classList.toggle("dense", wide > 10);
  const heads = [...grid.querySelectorAll(".g th")];
  heads.forEach((head, number) => {
    const { first, clients } = model.gateways[number];
    const span = clients.filter((_, client) => shown.has(first + client)).length;
    head.hidden = !span;
    head.colSpan = span || 1;
  });
}

let marked = [];

/** Draw the cells that a filter is about above the others. */
function mark(wanted) {
  for (const cell of marked) cell.classList.remove("on");
  marked = [];
  const changed = changedRows.get(wanted.view);
  if (changed) {
    marked = [...changed].map((number) => rowElements[Math.floor(number / columns.length)].cells[number % columns.length + 1]);
    for (const cell of marked) cell.classList.add("on");
  }
  const letters = wanted.verdict === "failing" ? `${model.failing}!` : letterOf[wanted.verdict] || "";
  if (changed || letters) grid.dataset.marked = changed ? "" : [...letters].join(" ");
  else delete grid.dataset.marked;
}

/** All shown cells in reading order; what the drawer steps through. */
function shownCells() {
  return shownRows.flatMap((row) => shownColumns
    .filter((column) => letterAt(row, column) !== "." && matches(row, column)).map((column) => ({ row, column })));
}

// ---- The form

const sheets = { gateway: "gateways", client: "clients" };

/** Fill the lists of the form that only the script needs. */
function buildForm() {
  form.elements.op.append(...model.operations.map((operation) => el("option", "", operation)));
  const choices = {
    gateway: model.gateways.map(({ key, name }) => [key, name]),
    client: [...new Set(columns.map(({ client }) => client))].map((client) => [client, client]),
  };
  for (const [name, id] of Object.entries(sheets)) {
    byId(id)?.querySelector("fieldset").append(...choices[name].map(([value, label]) => {
      const box = el("input");
      Object.assign(box, { type: "checkbox", name, value });
      return el("label", "", box, label);
    }));
  }
}

/** What the form asks for; all boxes of a list are the same as none. */
function formState() {
  const wanted = { page: "matrix" };
  for (const name of ["family", "level", "verdict", "op", "view", "q"]) wanted[name] = form.elements[name].value;
  for (const name of Object.keys(sheets)) {
    const boxes = [...form.querySelectorAll(`[name=${name}]`)];
    const chosen = boxes.filter((box) => box.checked).map((box) => box.value);
    if (chosen.length < boxes.length) wanted[name] = chosen.join(",");
  }
  return wanted;
}

/** Let the form say what the state is. */
function fillForm(wanted) {
  for (const name of ["family", "level", "verdict", "op", "view"]) {
    const field = form.elements[name];
    field.value = wanted[name] || "";
    if (field.selectedIndex < 0) field.value = "";
    field.classList.toggle("set", Boolean(field.value));
  }
  if (document.activeElement !== form.elements.q) form.elements.q.value = wanted.q || "";
  for (const [name, id] of Object.entries(sheets)) {
    const chosen = (wanted[name] || "").split(",").filter(Boolean).map((one) => (name === "gateway" ? gatewayNamed(one)?.key : one));
    for (const box of form.querySelectorAll(`[name=${name}]`)) box.checked = chosen.includes(box.value);
    const summary = byId(id)?.querySelector("summary");
    if (!summary) continue;
    summary.textContent = chosen.length ? `${id === "clients" ? "Clients" : "Gateways"}: ${chosen.length}` : id === "clients" ? "Clients" : "Gateways";
    summary.classList.toggle("set", chosen.length > 0);
  }
  form.querySelector("[type=reset]").hidden = !FILTERS.some((key) => wanted[key]);
}
