// ---- The same exchange elsewhere, line by line.

const LINES = 400;
const AROUND = 2;

/** A line without what is another in every run: ids, digests, times, ports, names of buckets. */
function plain(line) {
  return line
    .replace(/s3conform-[\w.-]+/g, "<bucket>")
    .replace(/\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} [\d:]{8} GMT/g, "<time>")
    .replace(/\d{4}-?\d\d-?\d\dT\d\d:?\d\d:?\d\d(?:\.\d+)?Z?/g, "<time>")
    .replace(/\/\d{8}\//g, "/<day>/")
    .replace(/(localhost|127\.0\.0\.1|\w):\d{4,5}\b/g, "$1:<port>")
    .replace(/^(x-amz-request-id|x-amz-id-2|amz-sdk-invocation-id|user-agent):.*/i, "$1")
    .replace(/-(?:raw|boto3|awscli|rclone|s5cmd|s3cmd|mc|jssdk)[\w-]*\//g, "-<client>/")
    .replace(/[\w+/-]{40,}={0,2}/g, "<id>");
}

function linesOf(exchange) {
  const first = `${exchange.method} ${target(exchange)}`;
  const text = `${messageText(first, exchange.request)}\n\n${messageText(answer(exchange), exchange.response)}`;
  return text.replaceAll("><", ">\n<").split("\n").slice(0, LINES);
}

/** The lines of two exchanges as [kind, line]: " " in both, "-" only in the first, "+" only in the second. */
function difference(one, two) {
  const [before, after] = [linesOf(one), linesOf(two)];
  const [left, right] = [before.map(plain), after.map(plain)];
  const lengths = Array.from({ length: left.length + 1 }, () => new Uint16Array(right.length + 1));
  for (let i = left.length - 1; i >= 0; i -= 1) {
    for (let j = right.length - 1; j >= 0; j -= 1) {
      lengths[i][j] = left[i] === right[j] ? lengths[i + 1][j + 1] + 1 : Math.max(lengths[i + 1][j], lengths[i][j + 1]);
    }
  }
  const lines = [];
  let [i, j] = [0, 0];
  while (i < left.length || j < right.length) {
    if (i < left.length && j < right.length && left[i] === right[j]) {
      lines.push([" ", after[j]]);
      i += 1;
      j += 1;
    } else if (j >= right.length || (i < left.length && lengths[i + 1][j] >= lengths[i][j + 1])) {
      lines.push(["-", before[i]]);
      i += 1;
    } else {
      lines.push(["+", after[j]]);
      j += 1;
    }
  }
  return lines;
}

/** The difference as lines of a page; long stretches that are the same are left out. */
function differenceView(one, two) {
  const lines = difference(one, two);
  const near = lines.map((_, at) => lines.slice(Math.max(0, at - AROUND), at + AROUND + 1).some(([kind]) => kind !== " "));
  if (!near.some(Boolean)) return el("p", "quiet", "No difference but ids and times.");
  const kinds = { "-": "removed", "+": "added", " ": "" };
  const view = el("pre", "diff");
  view.tabIndex = 0;
  let skipped = 0;
  lines.forEach(([kind, line], at) => {
    if (!near[at]) {
      skipped += 1;
      return;
    }
    if (skipped) view.append(el("span", "skipped", `  … ${skipped} the same`));
    skipped = 0;
    view.append(el("span", kinds[kind], `${kind} ${line}`));
  });
  return view;
}

/** The other cells of a scenario whose exchanges are kept: those that conform first, same gateway before others. */
async function comparable({ row, column }) {
  const at = await kept();
  const rank = (other) => [letterAt(row, other) === "c" ? 0 : 1, columns[other].gateway === columns[column].gateway ? 0 : 1, columns[other].client === columns[column].client ? 0 : 1];
  return columns.map((_, other) => other)
    .filter((other) => other !== column && at.has(row * columns.length + other))
    .sort((one, two) => {
      const [a, b] = [rank(one), rank(two)];
      return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
    });
}

/** Compare a cell's exchange with that of other cells: their names to choose from, and the difference from one. */
async function compareView(place, words, exchanges) {
  const others = await comparable(place);
  if (!others.length || !exchanges.length) return null;
  const failing = failingExchange(words, exchanges);
  const number = failing < 0 ? exchanges.length - 1 : failing;
  const shown = el("div");
  const tabs = others.slice(0, 12).map((other) => {
    const letter = letterAt(place.row, other);
    const tab = button(`${model.verdicts[letter][1]} ${told(columns[other])}`, () => choose(other, tab));
    tab.ariaPressed = "false";
    return tab;
  });

  async function choose(other, tab) {
    for (const one of tabs) one.ariaPressed = String(one === tab);
    const theirs = await evidence({ row: place.row, column: other });
    const [mine, their] = [exchanges[number], theirs.exchanges[Math.min(number, theirs.exchanges.length - 1)]];
    shown.replaceChildren(their ? differenceView(mine, their) : el("p", "quiet", "No exchange of it is kept."));
  }

  if (failing >= 0 && letterAt(place.row, others[0]) === "c") await choose(others[0], tabs[0]);
  return section(`Exchange ${number + 1} here (−) and elsewhere (+)`, el("div", "tabs", tabs), shown);
}
