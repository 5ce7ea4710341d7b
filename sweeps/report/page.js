"use strict";
const tip = document.getElementById("tip");

function edgeText(cell, event) {
  const labels = cell.dataset.labels.split("\t");
  const box = cell.getBoundingClientRect();
  const place = (share) => Math.min(labels.length - 1, Math.max(0, Math.floor(share * labels.length)));
  const row = place((event.clientY - box.top) / box.height);
  const column = place((event.clientX - box.left) / box.width);
  if (row === column) return labels[row];
  const [i, j] = row < column ? [row, column] : [column, row];
  cell.edges = cell.edges || cell.dataset.edges.split(" ");
  const value = cell.edges[i * labels.length - (i * (i + 1)) / 2 + (j - i - 1)];
  const r = value === "x" ? "n/a" : (value / 1000).toFixed(3).replace("0.", ".").replace("-", "\u2212");
  return `${labels[row]} \u2013 ${labels[column]}: r = ${r}`;
}

function show(event) {
  const target = event.target.closest ? event.target.closest("[data-tip], [data-edges]") : null;
  tip.hidden = !target;
  if (!target) return;
  tip.textContent = target.dataset.tip || edgeText(target, event);
  const x = Math.min(event.clientX + 14, window.innerWidth - tip.offsetWidth - 8);
  const above = event.clientY - tip.offsetHeight - 12;
  tip.style.left = `${Math.max(8, x)}px`;
  tip.style.top = `${above < 4 ? event.clientY + 18 : above}px`;
}

document.addEventListener("pointermove", show);
document.addEventListener("pointerdown", show);
document.addEventListener("pointerleave", () => { tip.hidden = true; });
