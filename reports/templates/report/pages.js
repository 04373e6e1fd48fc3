// ---- Pages: one is shown at a time.

let shownPage = "";

function showPage(wanted) {
  const name = pageOf(wanted);
  for (const page of document.querySelectorAll("[data-page]")) page.hidden = page.dataset.page !== name;
  byId("scenario").hidden = name !== "scenario";
  for (const anchor of document.querySelectorAll(".top nav a")) {
    anchor.ariaCurrent = anchor.hash === `#page=${name}` ? "page" : null;
  }
  const identity = name === "scenario" ? `scenario ${wanted.scenario}` : name;
  if (identity === shownPage) return;
  const first = !shownPage;
  shownPage = identity;
  if (!first) scrollTo(0, 0);
  if (name === "scenario") showScenario(wanted.scenario);
}

/** The page of a scenario: its text, and what came of it everywhere. */
async function showScenario(scenario) {
  const page = byId("scenario");
  const row = rowNumbers.get(scenario);
  if (row === undefined) {
    page.replaceChildren(el("h1", "", scenario), el("p", "", "No run of this report has such a scenario."));
    return;
  }
  const [, level, operations] = model.rows[row];
  const head = rowElements[row].cells[0];
  const soft = head.querySelector("em");
  page.replaceChildren(el("p", "kicker", `${model.families[familyOf[row]].slice(0, 2).filter(Boolean).join(" · ")}`), el("h1", "", scenario));
  const known = await unpack("texts-0");
  const lines = [];
  for (const [column, one] of columns.entries()) {
    if (letterAt(row, column) === ".") continue;
    const words = await core({ row, column });
    const name = nameOf({ row, column });
    lines.push(el("tr", "", model.gateways.length > 1 ? el("th", "", link({ page: one.gateway.key }, "", one.gateway.name)) : null,
      el("td", "", one.client), el("td", "", link({ scenario, cell: name }, `chip ${letterAt(row, column)}`, model.verdicts[letterAt(row, column)].toReversed().join(" "))),
      el("td", "said", words.message || words.text || "as expected")));
  }
  if (shownPage !== `scenario ${scenario}`) return;
  const titles = [model.gateways.length > 1 ? "Gateway" : "", "Client", "Verdict", "Message"].filter(Boolean);
  const [text, source, catches] = known.texts[scenario] || ["", "", []];
  const names = catches.map((number) => known.defects[number]);
  page.replaceChildren(...page.children,
    el("p", "lead", head.querySelector("span").textContent),
    el("p", "chips", levelChip(model.levels[level]), soft ? soft.cloneNode(true) : null, el("span", "quiet", operations.map((one) => model.operations[one]).join(", "))),
    ...(text ? [el("p", "text", text), el("p", "quiet", `Source: ${source}`)] : []),
    el("section", "", el("h2", "", "What came of it"),
      el("div", "scroll", el("table", "list", el("thead", "", el("tr", "", titles.map((title) => el("th", "", title)))), el("tbody", "", lines)))),
    ...(known.texts[scenario] ? [el("section", "", el("h2", "", "Known to catch"), el("p", "quiet", names.length
      ? `${names.length} of the ways in which the reference server can be made wrong: ${names.join(", ")}`
      : "No defect is known that this scenario catches."))] : []));
}
