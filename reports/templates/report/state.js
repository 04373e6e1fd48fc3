// ---- What is shown stands in the fragment of the address alone, so that any view can be linked.

const KEYS = ["page", "scenario", "gateway", "client", "family", "level", "verdict", "op", "view", "q", "cell", "lint"];
const FILTERS = ["gateway", "client", "family", "level", "verdict", "op", "view", "q"];

/** The state in the address: a string for every key that is set. */
function state() {
  const given = new URLSearchParams(location.hash.slice(1));
  return Object.fromEntries(KEYS.map((key) => [key, given.get(key) || ""]).filter(([, value]) => value));
}

/** A state as a fragment; slashes and commas stay readable. */
function fragment(wanted) {
  const set = KEYS.filter((key) => wanted[key]).map((key) => [key, wanted[key]]);
  return `#${new URLSearchParams(set).toString().replaceAll("%2F", "/").replaceAll("%2C", ",")}`;
}

/** Go to a state: as a new entry of the history, or in place of the present one. */
function go(wanted, replace = false) {
  const target = fragment(wanted);
  if (target === location.hash) return;
  history[replace ? "replaceState" : "pushState"](null, "", target);
  render();
}

/** A link to a state. The only place that gives an element an address: always one of this page. */
function link(wanted, name, ...children) {
  const anchor = el("a", name, ...children);
  anchor.href = fragment(wanted);
  return anchor;
}

/** Which page a state is on: a gateway may be named by key or by name. */
function pageOf(wanted) {
  if (wanted.scenario) return "scenario";
  if (wanted.page) {
    const gateway = gatewayNamed(wanted.page);
    const key = gateway ? gateway.key : wanted.page;
    if (document.querySelector(`[data-page="${CSS.escape(key)}"]`)) return key;
  }
  return FILTERS.some((key) => wanted[key]) || wanted.cell ? "matrix" : "overview";
}

function gatewayNamed(name) {
  return model.gateways.find((gateway) => gateway.key === name) || model.gateways.find((gateway) => gateway.name === name);
}

// ---- Columns and cells by name

const columns = model.gateways.flatMap((gateway) => gateway.clients.map((client) => ({ gateway, client })));
const rowNumbers = new Map(model.rows.map(([scenario], number) => [scenario, number]));

/** The (row, column) that `SCENARIO/GATEWAY/CLIENT` names, or null. */
function placeOf(name) {
  const [scenario, key, ...rest] = (name || "").split("/");
  const gateway = gatewayNamed(key);
  const row = rowNumbers.get(scenario);
  const client = gateway ? gateway.clients.indexOf(rest.join("/")) : -1;
  if (row === undefined || client < 0 || letterAt(row, gateway.first + client) === ".") return null;
  return { row, column: gateway.first + client };
}

function nameOf({ row, column }) {
  const { gateway, client } = columns[column];
  return `${model.rows[row][0]}/${gateway.key}/${client}`;
}

/** The letter of a cell's verdict; "." where no cell is. */
function letterAt(row, column) {
  return model.rows[row][3][column].toLowerCase();
}

/** Whether a cell never gates, which capitals say. */
function isSoft(row, column) {
  return letterAt(row, column) !== model.rows[row][3][column];
}

/** A gateway in words, where there is more than one. */
function told({ gateway, client }) {
  return model.gateways.length > 1 ? `${gateway.name} ${client}` : client;
}
