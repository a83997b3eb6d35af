/* What the API was asked, and what is left in the buckets of its limits. */
import { h, show } from "./dom.js";
import { gauge } from "./words.js";

export function showCalls(box, buckets, view) {
  show(box, view.calls.length ? callTable(view.calls) : h("p", { class: "soft small empty" }, "Nobody asked anything in the last minute."));
  show(buckets, bucketTable(view.buckets));
}

function callTable(rows) {
  const count = (value, kind) => h("td", { class: `number ${value && kind ? "bad" : value ? "" : "soft"}` }, value);
  return h("table", {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Action"), ["Calls", "Throttled", "Refused"].map((name) => h("th", { scope: "col", class: "number" }, name)))),
    h("tbody", {}, rows.map((row) => h("tr", { title: row.refusals.join(", ") }, h("td", { class: "mono" }, row.action), count(row.calls), count(row.throttled, true), count(row.refused, true)))));
}

function bucketTable(rows) {
  return h("table", {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Bucket"), h("th", { scope: "col" }, "Left"), h("th", { scope: "col", class: "number" }, "A second"))),
    h("tbody", {}, rows.map((row) => {
      const low = row.left < 1;
      return h("tr", {}, h("td", { class: "small" }, row.name),
        h("td", {}, h("div", { class: "level" }, gauge(row.left, row.capacity, low ? "failed" : "point", `${Math.floor(row.left)} of ${row.capacity} left`), h("span", { class: `small nowrap ${low ? "bad" : ""}` }, `${Math.floor(row.left)} of ${row.capacity}${low ? ", empty" : ""}`))),
        h("td", { class: "number soft" }, `+${row.refill}`));
    })));
}
