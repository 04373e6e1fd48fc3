// ---- Elements. Everything from a run file reaches the page as a text node: never as markup, attribute or style.

const byId = (id) => document.getElementById(id);
const model = JSON.parse(byId("model").textContent);

/** An element with a class and children; strings become text nodes, what is missing is left out. */
function el(tag, name, ...children) {
  const element = document.createElement(tag);
  if (name) element.className = name;
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== "" && child !== false));
  return element;
}

function button(label, act, name = "") {
  const element = el("button", name, label);
  element.type = "button";
  element.addEventListener("click", act);
  return element;
}

/** A part of the drawer with its heading; nothing where it has no content. */
function section(title, ...children) {
  const content = children.flat().filter(Boolean);
  return content.length ? el("section", "", el("h3", "", title), ...content) : null;
}

function levelChip(level) {
  return el("i", `level ${level.toLowerCase()}`, level);
}

/** The chip of the verdict with this letter, with `text` instead of its name if given. */
function chip(letter, text) {
  const [verdict, sign] = model.verdicts[letter];
  return el("span", `chip ${letter}`, `${sign} ${text ?? verdict}`);
}

/** Text to copy, with its button. */
function copyable(text, label) {
  const source = el("pre", "", text);
  source.tabIndex = 0;
  const copy = button("Copy", async () => {
    try {
      await navigator.clipboard.writeText(text);
      copy.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(source);
      copy.textContent = document.execCommand("copy") ? "Copied" : "Selected";
    }
    setTimeout(() => { copy.textContent = "Copy"; }, 1500);
  });
  copy.ariaLabel = `Copy ${label}`;
  return el("div", "copyable", source, copy);
}
