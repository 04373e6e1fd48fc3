"use strict";
// Search in the specification: every word must be there; the search stands in the fragment, so that it can be linked.
(() => {
  const form = document.getElementById("search");
  const articles = [...document.querySelectorAll(".statement")].map((node) => ({ node, text: node.textContent.toLowerCase() }));
  const families = [...document.querySelectorAll(".family")];

  function apply() {
    const words = form.elements.q.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const { node, text } of articles) {
      node.hidden = !words.every((word) => text.includes(word));
      shown += !node.hidden;
    }
    for (const family of families) family.hidden = !family.querySelector(".statement:not([hidden])");
    form.querySelector("output").textContent = words.length ? `${shown} of ${articles.length}` : "";
  }

  function restore() {
    const query = new URLSearchParams(location.hash.slice(1)).get("q");
    if (query === null && form.elements.q.value === "") return;
    form.elements.q.value = query ?? "";
    apply();
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    apply();
    history.replaceState(null, "", form.elements.q.value ? `#${new URLSearchParams({ q: form.elements.q.value })}` : location.pathname);
  });
  addEventListener("hashchange", restore);
  form.hidden = false;
  restore();
})();
