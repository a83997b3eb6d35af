/* Answers by node and pool as stacked bars, a bar a second, with what happened meanwhile on the same axis. */
import { h, s, show } from "./dom.js";
import { clock } from "./words.js";

const SECONDS = 120;
const LANE = 88, GAP = 26, LEFT = 34, AXIS = 40;
const NICE = [5, 10, 20, 30, 40, 60, 80, 100, 150, 200, 300, 400, 600, 800, 1000, 2000, 5000];
const MARKS = { ALARM: ["▲", "mark-alarm"], OK: ["●", "mark-ok"], INSUFFICIENT_DATA: ["○", "mark-none"], story: ["◆", "mark-story"] };

/* Keeps two minutes of rows: second, node, pool, status, cause, count. */
export class Answers {
  constructor() { this.rows = []; this.until = 0; }

  add(rows, now) {
    this.until = Math.floor(now);
    this.rows = [...this.rows, ...rows].filter(([second]) => second >= this.until - SECONDS);
  }
}

export function showTraffic(box, causes, answers, view) {
  const nodes = view.way.nodes.map((node) => node.name);
  const width = Math.max(240, box.clientWidth);
  const height = nodes.length * (LANE + GAP) + AXIS;
  const lanes = nodes.map((node) => seconds(answers, node));
  const most = Math.max(...lanes.flat().map((each) => each.lambda + each.ecs + each.failed));
  const top = NICE.find((each) => each >= most) ?? most;
  show(box, s("svg", { class: "chart", role: "img", viewBox: `0 0 ${width} ${height}`, width, height, "aria-label": summary(answers, nodes) },
    lanes.map((lane, index) => drawLane(lane, nodes[index], index * (LANE + GAP) + GAP, width, top)),
    drawAxis(view, answers.until, nodes.length * (LANE + GAP), width)));
  show(causes, causeTable(answers, nodes));
}

function seconds(answers, node) {
  const lane = Array.from({ length: SECONDS }, () => ({ lambda: 0, ecs: 0, failed: 0 }));
  for (const [second, at, pool, status, , count] of answers.rows) {
    const place = lane[second - (answers.until - SECONDS)];
    if (at === node && place) place[status >= 400 || !pool ? "failed" : pool] += count;
  }
  return lane;
}

function drawLane(lane, node, y, width, top) {
  const bar = (width - LEFT) / SECONDS;
  const high = (count) => (count / top) * LANE;
  const paths = { lambda: "", ecs: "", failed: "" };
  lane.forEach((each, index) => {
    let at = y + LANE;
    for (const kind of ["lambda", "ecs", "failed"]) {
      if (!each[kind]) continue;
      at -= high(each[kind]);
      paths[kind] += `M${(LEFT + index * bar).toFixed(2)} ${at.toFixed(2)}h${Math.max(1, bar - 0.6).toFixed(2)}v${high(each[kind]).toFixed(2)}h-${Math.max(1, bar - 0.6).toFixed(2)}z`;
    }
  });
  return s("g", {},
    [0, 0.5, 1].map((part) => s("line", { class: "grid", x1: LEFT, x2: width, y1: y + LANE * (1 - part), y2: y + LANE * (1 - part) })),
    s("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, top), s("text", { x: LEFT - 6, y: y + LANE + 4, "text-anchor": "end" }, "0"),
    s("path", { class: "fill-lambda", d: paths.lambda }), s("path", { class: "fill-ecs", d: paths.ecs }), s("path", { fill: "url(#hatch)", d: paths.ecs }),
    s("path", { class: "fill-failed", d: paths.failed }), s("path", { fill: "url(#cross)", d: paths.failed }),
    s("text", { class: "lane", x: LEFT + 4, y: y - 7 }, `Node ${node}`));
}

function drawAxis(view, until, y, width) {
  const place = (at) => LEFT + ((at - (until - SECONDS)) / SECONDS) * (width - LEFT);
  const ticks = [[0, "start", "2 min ago"], [0.5, "middle", "1 min ago"], [1, "end", "now"]];
  return s("g", {},
    ticks.map(([part, anchor, words]) => s("text", { x: LEFT + part * (width - LEFT), y: y + 36, "text-anchor": anchor }, words)),
    s("text", { x: LEFT - 6, y: y + 19, "text-anchor": "end", class: "lane" }, "▲◆"),
    s("line", { class: "grid", x1: LEFT, x2: width, y1: y + 24, y2: y + 24 }),
    view.marks.filter((mark) => mark.at > until - SECONDS).map((mark) => {
      const [shape, name] = MARKS[mark.kind] ?? MARKS.story;
      return s("g", { class: `mark ${name}` }, s("title", {}, `${clock(mark.at)} ${mark.text}`),
        s("line", { x1: place(mark.at), x2: place(mark.at), y1: GAP, y2: y + 8 }), s("text", { x: place(mark.at), y: y + 20, "text-anchor": "middle" }, shape));
    }));
}

/* ---- failures ---- */

function failures(answers) {
  const found = new Map();
  for (const [second, node, , status, cause, count] of answers.rows) {
    if (status < 400) continue;
    const name = `${status} ${cause}`;
    const row = found.get(name) ?? { status, cause, by: {}, total: 0, last: 0 };
    row.by[node] = (row.by[node] ?? 0) + count;
    row.total += count;
    row.last = Math.max(row.last, second);
    found.set(name, row);
  }
  return [...found.values()].sort((a, b) => b.last - a.last || b.total - a.total);
}

function causeTable(answers, nodes) {
  const rows = failures(answers);
  if (!rows.length) return h("p", { class: "soft small empty" }, "No request failed in the last two minutes. When one does, its true cause stands here: clients see a status alone.");
  return h("table", {},
    h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Failed because"), nodes.map((node) => h("th", { scope: "col", class: "number" }, `Node ${node}`)), h("th", { scope: "col", class: "number" }, "Last"))),
    h("tbody", {}, rows.map((row) => h("tr", {},
      h("td", {}, h("b", { class: "status" }, row.status), ` ${row.cause || "without a cause that the lab knows"}`),
      nodes.map((node) => h("td", { class: "number" }, row.by[node] ?? 0)), h("td", { class: "number nowrap" }, clock(row.last))))));
}

function summary(answers, nodes) {
  const failed = failures(answers).reduce((sum, row) => sum + row.total, 0);
  const total = answers.rows.reduce((sum, row) => sum + row[5], 0);
  return `Answers of nodes ${nodes.join(" and ")} in the last two minutes: ${total} in all, ${failed} failed.`;
}
