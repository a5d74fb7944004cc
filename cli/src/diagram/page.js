"use strict";
const picture = document.getElementById("picture");
const svg = picture.querySelector("svg");
const [, , width, height] = svg.getAttribute("viewBox").split(" ").map(Number);
let scale = 1;

function zoom(to) {
  scale = Math.min(3, Math.max(0.1, to));
  svg.setAttribute("width", width * scale);
  svg.setAttribute("height", height * scale);
}

function fit() {
  zoom(Math.min(1, picture.clientWidth / width, Math.max(0.45, (0.92 * innerHeight) / height)));
}

for (const button of document.querySelectorAll("#tools button")) {
  button.addEventListener("click", () =>
    button.dataset.zoom === "fit" ? fit() : zoom(scale * Number(button.dataset.zoom)));
}
picture.addEventListener("wheel", (event) => {
  if (!event.ctrlKey && !event.metaKey) return;
  event.preventDefault();
  zoom(scale * (event.deltaY < 0 ? 1.1 : 0.9));
}, { passive: false });

// A table under the pointer shows what it refers to, and what refers to it.
function light(table) {
  svg.classList.toggle("pale", table !== null);
  const near = new Set([table]);
  for (const path of svg.querySelectorAll("#links path")) {
    const lit = table !== null && (path.dataset.child === table || path.dataset.parent === table);
    path.classList.toggle("lit", lit);
    if (lit) near.add(path.dataset.child).add(path.dataset.parent);
  }
  for (const card of svg.querySelectorAll(".card")) {
    card.classList.toggle("lit", table !== null && near.has(card.dataset.table));
  }
}
for (const element of document.querySelectorAll("[data-table]")) {
  element.addEventListener("mouseenter", () => light(element.dataset.table));
  element.addEventListener("mouseleave", () => light(null));
}

const search = document.querySelector("nav input");
search.addEventListener("input", () => {
  const wanted = search.value.toLowerCase();
  for (const item of document.querySelectorAll("nav li")) {
    item.hidden = !item.textContent.toLowerCase().includes(wanted);
  }
});
search.addEventListener("keydown", (event) => {
  const first = document.querySelector("nav li:not([hidden]) a");
  if (event.key === "Enter" && first) first.click();
});
fit();
