"use strict";

// Figures: each is drawn from its specification.
const specs = JSON.parse(document.getElementById("specs").textContent);
const config = { displaylogo: false, responsive: false, modeBarButtonsToRemove: ["lasso2d", "select2d"] };
const drawings = [...document.querySelectorAll(".plot")].map((place) => {
  const spec = specs[place.dataset.figure];
  return Plotly.newPlot(place, spec.data, spec.layout, config);
});
Promise.all(drawings).then(() => document.documentElement.classList.add("drawn"));

// Tables: a click on a heading sorts by its column; another click reverses the order.
function compare(a, b) {
  const [x, y] = [Number(a), Number(b)];
  const missing = (value, number) => value === "inf" || value === "" || (Number.isNaN(number) && value === "nan");
  if (missing(a, x) || missing(b, y)) return missing(a, x) - missing(b, y);
  return Number.isNaN(x) || Number.isNaN(y) ? a.localeCompare(b) : x - y;
}

function sortBy(table, column, header) {
  const descending = header.getAttribute("aria-sort") === "ascending";
  const body = table.tBodies[0];
  const key = (row) => row.cells[column].dataset.s;
  const isMissing = (row) => ["inf", "nan", ""].includes(key(row));
  const rows = [...body.rows].sort((a, b) => {
    const order = compare(key(a), key(b));
    return descending && !isMissing(a) && !isMissing(b) ? -order : order;
  });
  body.append(...rows);
  for (const other of table.querySelectorAll("th")) other.setAttribute("aria-sort", "none");
  header.setAttribute("aria-sort", descending ? "descending" : "ascending");
}

for (const table of document.querySelectorAll("table.sortable")) {
  table.querySelectorAll("th").forEach((header, column) => {
    header.querySelector("button").addEventListener("click", () => sortBy(table, column, header));
  });
}

// Filters: rows without the typed words are hidden.
for (const input of document.querySelectorAll(".filter input")) {
  input.addEventListener("input", () => {
    const words = input.value.toLowerCase().split(/\s+/);
    for (const row of input.closest(".table").querySelectorAll("tbody tr")) {
      const text = row.textContent.toLowerCase();
      row.hidden = !words.every((word) => text.includes(word));
    }
  });
}

// Navigation: the section that is being read is marked.
const links = new Map([...document.querySelectorAll("nav a")].map((link) => [link.hash.slice(1), link]));
const observer = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) {
        for (const link of links.values()) link.removeAttribute("aria-current");
        links.get(entry.target.id)?.setAttribute("aria-current", "true");
      }
    }
  },
  { rootMargin: "-10% 0px -80% 0px" },
);
document.querySelectorAll("main > section").forEach((section) => observer.observe(section));
