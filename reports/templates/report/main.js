// ---- Start.

function render() {
  const wanted = state();
  showPage(wanted);
  const filters = pageOf(wanted) === "matrix" ? wanted : {};
  fillForm(filters);
  applyFilters(filters);
  if (filters.q) makeSearchable();
  showDrawer(wanted);
}

buildForm();
form.hidden = false;
byId("plain").hidden = true;
byId("help").hidden = false;
for (const table of grid.querySelectorAll(".block table")) table.role = "grid";
for (const text of document.querySelectorAll("pre[data-copy]")) text.replaceWith(copyable(text.textContent, "this file"));
listen();
render();
