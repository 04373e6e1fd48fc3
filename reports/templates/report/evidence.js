// ---- Packed evidence, inflated once, when it is first asked for.

const inflated = new Map();
const parsed = new Promise((ready) => {
  if (document.readyState === "loading") addEventListener("DOMContentLoaded", ready);
  else ready();
});

/** The JSON in the element of this id. */
function unpack(id) {
  if (!inflated.has(id)) inflated.set(id, parsed.then(() => inflate(byId(id).textContent)));
  return inflated.get(id);
}

async function inflate(packed) {
  const bytes = Uint8Array.from(atob(packed), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

/** What is said of a cell in words. */
async function core({ row, column }) {
  const { strings, cells, lint, since } = await unpack(`core-${model.gateways.indexOf(columns[column].gateway)}`);
  const at = `${row}/${column}`;
  return wordsOf(strings, cells[at], lint[at] || [], since[at] || []);
}

function wordsOf(strings, cell, lint, since) {
  const [expected, text, message, entry, passesWith, notes, seconds, requests, steps, failing, version, flaky, line] = cell;
  return {
    expected: strings[expected], text: strings[text], message: strings[message], entry: strings[entry],
    passesWith: strings[passesWith], notes: notes.map((note) => strings[note]), seconds, requests, failing,
    version: strings[version], flaky: Boolean(flaky), line, since,
    steps: steps.map(([operation, role, ok, status, code, said, exit]) => ({
      operation: strings[operation], role: strings[role], ok: Boolean(ok), status, code: strings[code], said: strings[said], exit,
    })),
    lint: lint.map((finding) => finding.map((number) => strings[number])),
  };
}

let places = null;

/** Where the exchanges of each cell are kept: by number of the cell, [chunk, place in it]. */
async function kept() {
  if (!places) {
    await parsed;
    places = new Map();
    JSON.parse(byId("chunks").textContent).cells.forEach((cells, chunk) => {
      cells.forEach((cell, at) => places.set(cell, [chunk, at]));
    });
  }
  return places;
}

/** Exchanges and reproductions of a cell; null where there was no room for them. */
async function evidence({ row, column }) {
  const place = (await kept()).get(row * columns.length + column);
  if (!place) return null;
  const chunk = await unpack(`chunk-${place[0]}`);
  const [numbers, repro] = chunk.cells[place[1]];
  return {
    exchanges: numbers.map((number) => exchangeOf(chunk.exchanges[number], chunk.strings)),
    repro: repro.map(([name, text]) => [chunk.strings[name], chunk.strings[text]]),
  };
}

function exchangeOf(flat, strings) {
  const [method, url, asked, sent, sentSize, sentCut, status, reason, answered, got, gotSize, gotCut, error, ms] = flat;
  return {
    method: strings[method], url: strings[url], status, reason: strings[reason], error: strings[error], ms,
    request: { headers: asked.map((line) => strings[line]), text: strings[sent], size: sentSize, cut: Boolean(sentCut) },
    response: { headers: answered.map((line) => strings[line]), text: strings[got], size: gotSize, cut: Boolean(gotCut) },
  };
}
