// ---- The drawer: all there is about one cell.

const drawer = byId("drawer");
let opener = null;
let opened = "";

/** Open, fill or close the drawer as a state asks. */
async function showDrawer(wanted) {
  const place = placeOf(wanted.cell);
  const name = place ? `cell ${nameOf(place)}` : wanted.lint ? `lint ${pageOf(wanted)}/${wanted.lint}` : "";
  if (name === opened) return;
  opened = name;
  if (!name) {
    if (drawer.open) drawer.close();
    return;
  }
  opener ??= document.activeElement;
  let content;
  try {
    content = place ? await cellView(place) : await lintView(gatewayNamed(pageOf(wanted)), Number(wanted.lint));
  } catch (error) {
    content = [heading("The evidence cannot be shown"), el("p", "", `This browser could not unpack it: ${error}`)];
  }
  if (opened !== name) return;
  drawer.replaceChildren(bar(place), el("div", "drawer-body", content));
  if (!drawer.open) drawer.showModal();
  drawer.scrollTop = 0;
  drawer.querySelector(".close").focus();
}

function closeDrawer() {
  const { cell, lint, ...rest } = state();
  if (cell || lint) go(pageOf(state()) === "overview" ? { page: "overview" } : { page: pageOf(state()), ...rest });
}

/** The cells before and after one among those that are shown. */
function neighbours(place) {
  const all = shownCells();
  const at = all.findIndex(({ row, column }) => row === place.row && column === place.column);
  return [all[at - 1], at < 0 ? undefined : all[at + 1], at < 0 ? "" : `${at + 1} of ${all.length.toLocaleString("en")} shown`];
}

function bar(place) {
  const close = button("Close", closeDrawer, "close");
  if (!place) return el("div", "drawer-bar", el("span", "where", "Lint"), close);
  const [before, after, where] = neighbours(place);
  const mover = (label, key, to) => {
    const move = button(label, () => go({ ...state(), cell: nameOf(to) }, true));
    move.dataset.key = key;
    move.disabled = !to;
    return move;
  };
  return el("div", "drawer-bar", el("span", "where", where),
    link({ cell: nameOf(place) }, "", "Link"), mover("↑ Previous", "k", before), mover("Next ↓", "j", after), close);
}

function heading(...content) {
  const title = el("h2", "", ...content);
  title.id = "drawer-title";
  return title;
}

async function cellView(place) {
  const { row, column } = place;
  const [scenario, level, operations] = model.rows[row];
  const letter = letterAt(row, column);
  const { gateway, client } = columns[column];
  const [words, known, behind] = await Promise.all([core(place), unpack("texts-0"), evidence(place)]);
  const soft = isSoft(row, column);
  const statement = rowElements[row].cells[0].querySelector("span").textContent;
  const exchanges = behind?.exchanges || [];
  return [
    el("div", "chips", chip(letter), levelChip(model.levels[level]),
      words.flaky ? el("em", "", "↻ flaky: a second try came to another verdict") : null,
      soft ? el("em", "", "never gates: no record of real S3") : null,
      el("span", "quiet", [gateway.name, `${client} ${words.version}`, operations.map((one) => model.operations[one]).join(", "), `${words.seconds.toFixed(2)} s`].filter(Boolean).join(" · "))),
    heading(link({ scenario }, "id", scenario), statement),
    el("div", "versus",
      el("div", "", el("h3", "", "Expected"), el("p", "", words.expected || "–")),
      el("div", model.failing.includes(letter) ? "wrong" : "good", el("h3", "", "Observed"), el("p", "", words.text || words.message || "as expected"))),
    words.message && words.message !== words.text ? el("p", "note", words.message) : null,
    words.passesWith ? section("Passes with other settings", el("p", "", words.passesWith)) : null,
    words.entry ? section("Profile entry", entryView(words, gateway)) : null,
    section("Since earlier runs", words.since.map(([title, list, before, what]) => el("p", "", el("b", "", list), ` since ${title}: it was ${before}. `, el("span", "quiet", what)))),
    words.notes.length ? section("Noted", words.notes.map((note) => el("p", "", note))) : null,
    section("This scenario elsewhere", othersView(place)),
    behind?.repro.length ? section("Reproduce", reproView(behind.repro)) : null,
    await compareView(place, words, exchanges),
    stepsView(words),
    exchanges.length ? exchangesView(words, exchanges) : missingView(words, gateway, behind),
    words.lint.length ? section("Lint of these exchanges", el("ul", "lints", words.lint.map(([rule, operation, message, severity, party]) =>
      el("li", "", el("b", "", rule), ` ${operation}: ${message} `, el("span", "quiet", `${severity}, ${party}`))))) : null,
    ...textView(known, scenario),
  ];
}

/** The entry that a verdict rests on, with what the page of the gateway says of it. */
function entryView(words, gateway) {
  const page = document.querySelector(`[data-page="${CSS.escape(gateway.key)}"]`);
  const known = [...page.querySelectorAll("tbody th > code")].find((code) => code.textContent === words.entry);
  const said = known?.closest("tr").querySelector(".said");
  const [reason, origin] = [said?.firstChild?.textContent, said?.querySelector(".source")?.textContent];
  return [el("p", "", el("code", "", words.entry), reason ? ` ${reason}` : ""), origin ? el("p", "quiet", `Source: ${origin}`) : null];
}

function missingView(words, gateway, behind) {
  if (!words.requests || behind) return null;
  const where = words.line ? `line ${words.line} of ${gateway.file}` : `the run file ${gateway.file}`;
  const why = gateway.trimmed
    ? `They were left out of the run file when it was published (${gateway.trimmed}).`
    : `They are in ${where}.`;
  return section("Exchanges", el("p", "quiet", `The ${words.requests} exchanges are not in this file, to keep it small. ${why}`));
}

function stepsView(words) {
  if (!words.steps.length) return null;
  const head = el("tr", "", ["Operation", "Role", "Status", "Code", "Exit", "Message"].map((title) => el("th", "", title)));
  const lines = words.steps.map((step, number) => el("tr", number === words.failing ? "failing" : "",
    el("td", "", `${number === words.failing ? "→ " : ""}${step.ok ? "✓" : "✗"} ${step.operation}`), el("td", "", step.role),
    el("td", "", String(step.status ?? "–")), el("td", "", step.code || "–"), el("td", "", String(step.exit ?? "–")), el("td", "", step.said)));
  const around = el("div", "scroll", el("table", "steps", el("thead", "", head), el("tbody", "", lines)));
  around.tabIndex = 0;
  return section("Steps", around);
}

/** Reproductions, one shown at a time. */
function reproView(repro) {
  const shown = el("div");
  const tabs = repro.map(([name, text]) => {
    const tab = button(name, () => {
      for (const one of tabs) one.ariaPressed = String(one === tab);
      shown.replaceChildren(copyable(text, name));
    });
    tab.ariaPressed = "false";
    return tab;
  });
  tabs[0].click();
  return [el("div", "tabs", tabs), shown];
}

/** The verdicts of one scenario in all columns, as links. */
function othersView(place) {
  const lines = model.gateways.map((gateway) => {
    const chips = gateway.clients.flatMap((client, number) => {
      const column = gateway.first + number;
      const letter = letterAt(place.row, column);
      if (letter === ".") return [];
      const anchor = link({ ...state(), cell: nameOf({ row: place.row, column }) }, `chip ${letter}`, `${model.verdicts[letter][1]} ${client}`);
      anchor.title = model.verdicts[letter][0];
      if (column === place.column) anchor.ariaCurrent = "true";
      return [anchor];
    });
    return chips.length ? el("tr", "", model.gateways.length > 1 ? el("th", "", gateway.name) : null, el("td", "", chips)) : null;
  });
  return el("table", "others", el("tbody", "", lines));
}

/** Why a scenario matters, and how far it can be believed. */
function textView(known, scenario) {
  if (!known.texts[scenario]) return [];
  const [text, source, catches] = known.texts[scenario];
  const names = catches.map((number) => known.defects[number]);
  return [
    text ? section("Why it matters", el("p", "text", text), source ? el("p", "quiet", `Source: ${source}`) : null) : null,
    section("Known to catch", el("p", "quiet", names.length
      ? `${names.length} of the ways in which the reference server can be made wrong: ${names.join(", ")}`
      : "No defect is known that this scenario catches.")),
  ];
}

async function lintView(gateway, number) {
  const { strings, exchanges, cells } = await unpack(`lint-${model.gateways.indexOf(gateway)}`);
  const exchange = exchangeOf(exchanges[cells[number][0][0]], strings);
  const page = document.querySelector(`[data-page="${CSS.escape(gateway.key)}"]`);
  const line = [...page.querySelectorAll("a[href*='lint=']")][number].closest("tr");
  const said = line.querySelector(".said").textContent;
  return [heading(line.cells[0].textContent), el("p", "", said), section("Exchange", exchangeView(exchange, telling(said), { open: true }))];
}
