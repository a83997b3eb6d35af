/* A line through all plots of a chart, and the figures of that time: they are read from the table below the chart. */
"use strict";
(() => {
  const cross = document.createElement("div");
  const tip = document.createElement("div");
  cross.className = "cross";
  tip.className = "tip";
  tip.setAttribute("aria-hidden", "true"); // the table says the same
  for (const each of [cross, tip]) {
    each.hidden = true;
    document.body.append(each);
  }

  function hide() {
    cross.hidden = tip.hidden = true;
  }

  function nearest(table, at) {
    let best = null;
    for (const row of table.tBodies[0].rows) {
      const off = Math.abs(Number(row.dataset.at) - at);
      if (!best || off < best.off) best = { row, off };
    }
    return best?.row;
  }

  function say(table, row) {
    const time = document.createElement("b");
    time.textContent = row.cells[0].textContent;
    const figures = [...row.cells].slice(1).flatMap((cell, index) => {
      if (cell.textContent === "–") return [];
      const [name, value] = [document.createElement("span"), document.createElement("span")];
      name.textContent = table.tHead.rows[0].cells[index + 1].textContent;
      value.textContent = cell.textContent;
      return [name, value];
    });
    tip.replaceChildren(time, ...figures);
  }

  function show(chart, x) {
    const table = chart.parentElement.querySelector("[data-figures]");
    const box = chart.getBoundingClientRect();
    const [start, end] = [Number(chart.dataset.start), Number(chart.dataset.end)];
    const row = table && nearest(table, start + ((end - start) * (x - box.left)) / box.width);
    if (!row) return hide();
    const at = box.left + (box.width * (Number(row.dataset.at) - start)) / (end - start);
    say(table, row);
    cross.hidden = tip.hidden = false;
    Object.assign(cross.style, { left: `${at}px`, top: `${box.top + 14}px`, height: `${box.height - 34}px` });
    const left = at + 14 + tip.offsetWidth > innerWidth ? at - 14 - tip.offsetWidth : at + 14;
    Object.assign(tip.style, { left: `${Math.max(4, left)}px`, top: `${Math.max(8, box.top + 24)}px` });
  }

  document.addEventListener("pointermove", (event) => {
    const chart = event.target.closest?.("[data-chart]");
    if (chart) show(chart, event.clientX);
    else hide();
  });
  document.addEventListener("pointerdown", (event) => {
    const chart = event.target.closest?.("[data-chart]");
    if (chart) show(chart, event.clientX);
  });
  addEventListener("scroll", hide, { passive: true, capture: true });
})();
