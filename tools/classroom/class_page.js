// Sort a table by the column whose button is pressed; show the students whose name has the letters.
const ORDER = ["right", "wrong", "open", "missing"];

function key(row, column) {
  const cell = row.cells[column];
  const status = ORDER.indexOf(cell.className);
  if (status >= 0) return status;
  const text = cell.dataset.value ?? cell.textContent.trim().replace(" %", "");
  return text === "" || isNaN(text) ? text : Number(text);
}

function compared(one, other) {
  return typeof one === "number" && typeof other === "number"
    ? one - other
    : String(one).localeCompare(String(other));
}

for (const button of document.querySelectorAll("th button")) {
  button.addEventListener("click", () => {
    const head = button.closest("th");
    const body = head.closest("table").tBodies[0];
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of head.closest("thead").querySelectorAll("th[aria-sort]")) {
      other.removeAttribute("aria-sort");
    }
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const column = Number(head.dataset.column);
    const rows = [...body.rows].map((row) => [key(row, column), row]);
    rows.sort(([one], [other]) => (up ? 1 : -1) * compared(one, other));
    body.append(...rows.map(([, row]) => row));
  });
}

const search = document.querySelector("input[type=search]");
search.addEventListener("input", () => {
  const letters = search.value.trim().toLocaleLowerCase();
  for (const row of document.querySelector(".answers").tBodies[0].rows) {
    row.hidden = !row.cells[0].textContent.toLocaleLowerCase().includes(letters);
  }
});
