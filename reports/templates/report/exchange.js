// ---- Exchanges, with what a message names marked in them.

/** The words of a message that are worth finding in an exchange: quoted texts, names of headers, codes. */
function telling(...messages) {
  const words = new Set();
  for (const message of messages) {
    for (const [, one, two] of (message || "").matchAll(/'([^'\n]{2,80})'|"([^"\n]{2,80})"/g)) words.add(one || two);
    for (const [word] of (message || "").matchAll(/\b[A-Za-z][A-Za-z0-9]*(?:-[A-Za-z0-9]+)+\b|\b[A-Z][a-z]+(?:[A-Z][a-z0-9]*)+\b/g)) words.add(word);
  }
  return [...words].sort((one, two) => two.length - one.length).slice(0, 40);
}

/** `text` as nodes, each of `words` in it marked. */
function highlighted(text, words) {
  if (!words.length || !text) return [text];
  const pattern = new RegExp(`(${words.map((word) => word.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&")).join("|")})`, "gi");
  return text.split(pattern).map((part, number) => (number % 2 ? el("mark", "", part) : part));
}

function target(exchange) {
  return exchange.url.replace(/^[a-z]+:\/\/[^/?#]*/i, "") || "/";
}

function answer(exchange) {
  return exchange.status === null ? exchange.error || "no answer" : `${exchange.status} ${exchange.reason}`.trim();
}

/** The lines of one side of an exchange: first line, headers, an empty line, body. */
function messageText(first, { headers, text }) {
  return [first, ...headers, ...(text ? ["", text] : [])].join("\n");
}

function messageView(title, first, part, words) {
  const text = el("pre", "", ...highlighted(messageText(first, part), words));
  text.tabIndex = 0;
  return [
    el("h4", "", title), text,
    part.cut ? el("p", "note", `Only the beginning of this body is kept: it is ${part.size.toLocaleString("en")} bytes long.`) : null,
  ];
}

/** One exchange, folded or open. */
function exchangeView(exchange, words, { open = false, failing = false } = {}) {
  const fill = () => el("div", "",
    ...messageView("Request", `${exchange.method} ${exchange.url}`, exchange.request, words),
    ...messageView("Response", answer(exchange), exchange.response, words),
    exchange.error && exchange.status !== null ? el("p", "", exchange.error) : null);
  const details = el("details", failing ? "exchange failing" : "exchange",
    el("summary", "", `${exchange.method} ${target(exchange)} → `, el("span", "status", answer(exchange)), exchange.ms ? `  ${exchange.ms} ms` : ""));
  let filled = false;
  const ensure = () => {
    if (filled) return;
    filled = true;
    details.append(fill());
  };
  if (open) ensure();
  details.addEventListener("toggle", ensure);
  details.open = open;
  return details;
}

/** Which of a cell's exchanges its failing step sent: by place where every step sent one, else by status, else the last. */
function failingExchange(words, exchanges) {
  if (words.failing < 0 || !exchanges.length) return -1;
  if (words.steps.length === words.requests) return Math.min(words.failing, exchanges.length - 1);
  const status = words.steps[words.failing]?.status;
  const same = exchanges.findLastIndex((exchange) => status && exchange.status === status);
  return same < 0 ? exchanges.length - 1 : same;
}

function exchangesView(words, exchanges) {
  const failing = failingExchange(words, exchanges);
  const marks = telling(words.text, words.message);
  const title = words.requests > exchanges.length ? `Exchanges (first ${exchanges.length} of ${words.requests})` : `Exchanges (${exchanges.length})`;
  return section(title, exchanges.map((exchange, number) =>
    exchangeView(exchange, marks, { open: number === failing, failing: number === failing })));
}
