"use strict";
// Everything from a run file reaches the page as a text node: never as markup, attribute or style.
(() => {
  const FAILING = new Set(["violates", "contradicts", "blocked", "error"]);
  const SYMBOLS = { conforms: "✓", deviates: "≈", unsupported: "○", violates: "✗", contradicts: "≠", blocked: "⊘", error: "!", inapplicable: "·" };
  const form = document.getElementById("filters");
  const panel = document.getElementById("panel");
  const shown = document.getElementById("shown");

  // ---------------------------------------------------------------- evidence

  const loaded = new Map();

  /** The evidence of run `number`: inflated once, when first asked for. */
  function evidence(number) {
    if (!loaded.has(number)) loaded.set(number, inflate(document.getElementById(`evidence-${number}`).textContent));
    return loaded.get(number);
  }

  async function inflate(packed) {
    const bytes = Uint8Array.from(atob(packed), (char) => char.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }

  // ------------------------------------------------------------------ filter

  const rows = [...document.querySelectorAll(".matrix .row")].map((row) => {
    const cells = [...row.querySelectorAll("button[data-cell]")];
    const judged = new Set(cells.map((cell) => cell.dataset.verdict).filter((verdict) => verdict !== "inapplicable"));
    return {
      row, cells,
      run: Number(row.closest("article").dataset.run),
      family: row.parentElement.dataset.family,
      level: row.dataset.level,
      disagree: judged.size > 1,
      text: row.firstElementChild.textContent.toLowerCase(),
    };
  });
  let searchable = false;

  /** Let the search see messages, codes and profile entries too. */
  async function makeSearchable() {
    if (searchable) return;
    searchable = true;
    for (const entry of rows) {
      const { cells } = await evidence(entry.run);
      for (const button of entry.cells) {
        const cell = cells[button.dataset.cell];
        const codes = (cell.observed.steps || []).map((step) => step.code || "").join(" ");
        entry.text += ` ${cell.message} ${cell.observed.text || ""} ${codes} ${cell.profile_entry || ""}`.toLowerCase();
      }
    }
    apply();
  }

  function wants(button, state) {
    const column = button.closest("td").dataset.client;
    if (state.client && column !== state.client) return false;
    if (state.verdict === "failing") return FAILING.has(button.dataset.verdict);
    return !state.verdict || button.dataset.verdict === state.verdict;
  }

  function apply() {
    const state = Object.fromEntries(new FormData(form));
    const words = state.q.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const entry of rows) {
      const wanted = entry.cells.filter((button) => wants(button, state));
      const visible = (!state.family || entry.family === state.family)
        && (!state.level || entry.level === state.level)
        && (!state.disagree || entry.disagree)
        && (wanted.length > 0 || !(state.verdict || state.client))
        && words.every((word) => entry.text.includes(word));
      entry.row.hidden = !visible;
      count += visible ? 1 : 0;
      for (const button of entry.cells) button.classList.toggle("dim", Boolean(state.verdict) && !wanted.includes(button));
    }
    for (const body of document.querySelectorAll(".matrix tbody")) {
      body.hidden = !body.querySelector(".row:not([hidden])") && Boolean(body.dataset.family);
    }
    for (const cell of document.querySelectorAll(".matrix [data-client]")) {
      cell.hidden = Boolean(state.client) && cell.dataset.client !== state.client;
    }
    shown.textContent = `${count} of ${rows.length} scenarios`;
  }

  // ------------------------------------------------------ state in the address

  function fragment() {
    return new URLSearchParams(location.hash.slice(1));
  }

  /** Write the filters, and the open cell if any, to the address without a new entry in the history. */
  function remember(open = "") {
    const state = new URLSearchParams([...new FormData(form)].filter(([, value]) => value));
    if (open) state.set("open", open);
    history.replaceState(null, "", `#${state}`);
  }

  function restore() {
    if (location.hash === "#matrix") { apply(); return; }
    const state = fragment();
    for (const field of form.elements) {
      if (field.type === "checkbox") field.checked = state.get(field.name) === field.value;
      else if (field.name) field.value = state.get(field.name) || "";
    }
    for (const select of form.querySelectorAll("select")) if (select.selectedIndex < 0) select.value = "";
    if (form.elements.q.value) makeSearchable();
    apply();
    const [run, kind, number] = (state.get("open") || "").split(".");
    const button = [...document.querySelectorAll(`[data-${kind === "lint" ? "lint" : "cell"}]`)].find(
      (candidate) => candidate.dataset[kind] === number && candidate.closest("article").dataset.run === run);
    if (button) show(button);
  }

  // ------------------------------------------------------------------- panel

  /** An element with a class and children; strings become text nodes. */
  function el(tag, name, ...children) {
    const element = document.createElement(tag);
    if (name) element.className = name;
    element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
    return element;
  }

  function chip(verdict) {
    return el("span", `chip ${verdict in SYMBOLS ? `v-${verdict}` : ""}`, `${SYMBOLS[verdict] || ""} ${verdict}`);
  }

  function section(title, ...children) {
    return el("section", "", el("h3", "", title), ...children);
  }

  function bodyOf(body, what) {
    if (!body || !body.size) return [];
    const kept = el("pre", "", body.text || "");
    if (!body.truncated) return [kept];
    return [kept, el("p", "truncated", `Only the beginning of this ${what} body is kept: it is ${body.size.toLocaleString("en")} bytes long.`)];
  }

  function headers(list) {
    return (list || []).map(([name, value]) => `${name}: ${value}`).join("\n");
  }

  function exchange(item, open) {
    const target = item.url.replace(/^[a-z]+:\/\/[^/?#]*/i, "") || "/";
    const answer = item.status === undefined || item.status === null ? item.error || "no answer" : `${item.status} ${item.reason || ""}`;
    const took = item.seconds ? `  ${Math.round(item.seconds * 1000)} ms` : "";
    const details = el("details", "exchange",
      el("summary", "", `${item.method} ${target} → `, el("span", "status", answer), took),
      el("div", "",
        el("h3", "", "Request"), el("pre", "", `${item.method} ${item.url}\n${headers(item.request_headers)}`), ...bodyOf(item.request_body, "request"),
        el("h3", "", "Response"), el("pre", "", [answer, headers(item.response_headers)].filter(Boolean).join("\n")), ...bodyOf(item.response_body, "response"),
        item.error ? el("p", "", item.error) : null));
    details.open = open;
    return details;
  }

  function exchanges(cell) {
    const kept = cell.exchanges;
    if (!kept.length) return null;
    const title = cell.requests > kept.length ? `Exchanges (first ${kept.length} of ${cell.requests})` : `Exchanges (${kept.length})`;
    return section(title, ...kept.map((item, index) => exchange(item, index === kept.length - 1)));
  }

  function steps(observed) {
    const list = observed.steps || [];
    if (!list.length) return null;
    const failing = observed.failing === undefined ? -1 : observed.failing;
    const head = el("tr", "", ...["Operation", "Role", "Status", "Code", "Exit code", "Message"].map((title) => el("th", "", title)));
    const lines = list.map((step, index) => el("tr", index === failing ? "failing-step" : "",
      el("td", "", `${index === failing ? "→ " : ""}${step.ok ? "✓" : "✗"} ${step.operation}`),
      el("td", "", step.role), el("td", "", String(step.status ?? "–")), el("td", "", step.code || "–"),
      el("td", "", String(step.exit_code ?? "–")), el("td", "", step.message || step.failure || "")));
    return section("Steps", el("div", "scroll", el("table", "steps", el("thead", "", head), el("tbody", "", ...lines))));
  }

  function copyable(name, text) {
    const source = el("pre", "", text);
    const button = el("button", "", "Copy");
    button.type = "button";
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
      } catch {
        getSelection().selectAllChildren(source);
        button.textContent = document.execCommand("copy") ? "Copied" : "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
    return [el("h4", "quiet", name), el("div", "copyable", source, button)];
  }

  function cellView(cell, scenario) {
    const good = !FAILING.has(cell.verdict);
    const soft = (cell.confidence || "recorded") !== "recorded";
    const observed = cell.observed;
    const seen = observed.text || cell.message || observed.outcome;
    return [
      el("div", "chips", chip(cell.verdict), el("span", `level ${["MUST", "SHOULD", "EXTENDED"].includes(cell.level) ? `l-${cell.level}` : ""}`, cell.level),
        cell.flaky ? el("span", "soft-chip", "↻ flaky: a second try came to another verdict") : null,
        soft ? el("span", "soft-chip", `${cell.confidence}: never gates`) : null,
        el("span", "quiet", `${cell.column || cell.client} ${cell.client_version} · ${cell.operations.join(", ")} · ${cell.seconds.toFixed(2)} s`)),
      heading(`${cell.scenario} ${cell.title}`),
      cell.message && cell.message !== seen ? el("p", "", el("b", "", cell.message)) : null,
      el("div", "versus",
        el("div", "", el("h3", "", "Expected"), el("p", "", cell.expected || "–")),
        el("div", good ? "good" : "bad", el("h3", "", "Observed"), el("p", "", seen))),
      (cell.notes || []).length ? section("Noted", ...cell.notes.map((note) => el("p", "", note))) : null,
      cell.profile_entry ? section("Profile entry", el("p", "", cell.profile_entry)) : null,
      scenario ? section("Why it matters", el("p", "", scenario.text), el("p", "quiet", `Source: ${scenario.source}`)) : null,
      steps(observed),
      scenario ? section("Known to catch", caughtView(scenario.catches || [])) : null,
      Object.keys(cell.repro).length ? section("Reproduce", ...Object.entries(cell.repro).flatMap(([name, text]) => copyable(name, text))) : null,
      exchanges(cell),
    ];
  }

  function lintView(lint) {
    const example = lint.example;
    return [
      heading(lint.rule), el("p", "", el("b", "", lint.message)),
      el("p", "quiet", `${example.operation} · ${example.client} · ${example.scenario}`),
      section("Exchange", exchange(example.exchange, true)),
    ];
  }

  /** The defects of the reference server that a scenario was proved on. */
  function caughtView(names) {
    if (!names.length) return el("p", "quiet", "No defect is known that this scenario catches.");
    const text = `${names.length} of the ways in which the reference server can be made wrong: ${names.join(", ")}`;
    return el("p", "quiet", text);
  }

  function heading(text) {
    const title = el("h2", "", text);
    title.id = "panel-title";
    return title;
  }

  /** The buttons one can step through from `button`: those of the same table that are not filtered out. */
  function neighbours(button) {
    const all = [...button.closest("table").querySelectorAll("[data-cell], [data-lint]")].filter((one) => !one.closest("[hidden]") && !one.classList.contains("dim"));
    const at = all.indexOf(button);
    return [all[at - 1], all[at + 1]];
  }

  function mover(label, key, target) {
    const button = el("button", "", label);
    button.type = "button";
    button.dataset.key = key;
    button.disabled = !target;
    button.addEventListener("click", () => show(target));
    return button;
  }

  let opener = null;

  async function show(button) {
    const run = Number(button.closest("article").dataset.run);
    const kind = "cell" in button.dataset ? "cell" : "lint";
    const number = Number(button.dataset[kind]);
    let data;
    let content;
    try {
      data = await evidence(run);
      content = kind === "cell" ? cellView(data.cells[number], data.scenarios[data.cells[number].scenario]) : lintView(data.lints[number]);
    } catch (error) {
      content = [heading("The evidence cannot be shown"), el("p", "", `This browser could not unpack it: ${error}`)];
    }
    const [before, after] = neighbours(button);
    const close = el("button", "", "Close");
    close.type = "button";
    close.addEventListener("click", () => panel.close());
    const where = button.closest("article").querySelector("h1").textContent;
    panel.replaceChildren(
      el("div", "panel-bar", el("span", "where", where), mover("← Previous", "ArrowLeft", before), mover("Next →", "ArrowRight", after), close),
      el("div", "panel-body", ...content.filter(Boolean)));
    if (!panel.open) panel.showModal();
    panel.scrollTop = 0;
    close.focus();
    opener = button;
    remember(`${run}.${kind}.${number}`);
  }

  for (const text of document.querySelectorAll("pre[data-copy]")) text.replaceWith(copyable("", text.textContent)[1]);

  // ------------------------------------------------------------------ events

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-cell], [data-lint]");
    if (button) show(button);
    else if (event.target === panel) panel.close();
  });
  panel.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    const button = panel.querySelector(`[data-key=${event.key}]`);
    if (button && !button.disabled) button.click();
  });
  panel.addEventListener("close", () => {
    if (panel.open) return;
    remember();
    opener.focus();
  });
  form.addEventListener("input", () => { apply(); remember(); });
  form.elements.q.addEventListener("focus", makeSearchable);
  form.addEventListener("reset", () => setTimeout(() => { apply(); remember(); }));
  form.addEventListener("submit", (event) => event.preventDefault());
  addEventListener("hashchange", () => {
    restore();
    if (location.hash !== "#matrix" && !panel.open) document.querySelector(".matrix").scrollIntoView();
  });
  new ResizeObserver(() => {
    const height = getComputedStyle(form).position === "sticky" ? form.offsetHeight : 0;
    document.documentElement.style.setProperty("--filters", `${height}px`);
  }).observe(form);
  form.hidden = false;
  restore();
})();
