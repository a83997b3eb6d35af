/* Clients, the two nodes, the function and the tasks, and ribbons as thick as the traffic between them. */
import { h, s, show } from "./dom.js";
import { badge, gauge, left, plain, rate, split } from "./words.js";

const STEPS = ["PROVISIONING", "PENDING", "RUNNING", "DEACTIVATING", "STOPPING", "STOPPED"];
const STEP_WORDS = { DEACTIVATING: "draining", STOPPING: "stopping", STOPPED: "stopped", RUNNING: "running", PENDING: "pending", PROVISIONING: "provisioning" };
const HEALTH = { healthy: "ok", initial: "none", unhealthy: "alarm", "unhealthy.draining": "alarm", draining: "warn", unused: "none", unavailable: "none" };
const THICKEST = 40;
const MOST_CELLS = 40;

export function showWay(box, view) {
  if (!box.firstChild) draw(box, view); // the ribbons need boxes to meet
  draw(box, view);
}

function draw(box, view) {
  const { way } = view;
  const total = way.nodes.reduce((sum, node) => sum + node.to.lambda + node.to.ecs + node.nowhere, 0);
  show(box,
    h("div", { class: "written" }, h("span", { class: "soft small" }, "AWS says"), way.routes.map(written)),
    h("div", { class: "way" },
      h("div", { class: "clients" }, h("b", {}, rate(total)), h("span", { class: "soft small" }, "requests a second")),
      h("div", { class: "ribbons" }, svgOf(box, 0, (width, middle) => fromClients(way, total, width, middle))),
      h("div", { class: "nodes" }, way.nodes.map((node) => nodeBox(node, way.routes))),
      h("div", { class: "ribbons" }, svgOf(box, 1, (width, middle) => toPools(way, total, width, middle))),
      h("div", { class: "pools" }, functionBox(way.function), tasksBox(way.tasks))));
}

function written(route) {
  return h("div", { class: "route" }, h("span", { class: "small" }, route.path ? h("code", {}, route.path) : "default"), split(route.written));
}

/* ---- nodes ---- */

const same = (a, b) => JSON.stringify(a) === JSON.stringify(b);

function nodeBox(node, routes) {
  const news = node.routes.filter((route) => "news_in" in route);
  const stale = node.routes.some((route, index) => !same(route.knows, routes[index].written));
  return h("div", { class: `node ${stale ? "stale" : ""}` },
    h("div", { class: "row between" }, h("b", {}, `Node ${node.name}`), h("span", { class: "soft small" }, `${rate(node.to.lambda + node.to.ecs + node.nowhere)}/s`)),
    node.routes.map((route) => h("div", { class: "knows" }, routes.length > 1 && h("span", { class: "small" }, route.path ? h("code", {}, route.path) : "default"), split(route.knows))),
    h("div", { class: "row wrap notes" },
      news.length ? badge("warn", `news in ${left(Math.max(...news.map((route) => route.news_in)))}`) : badge("ok", "up to date"),
      node.nowhere > 0 && badge("alarm", `${rate(node.nowhere)}/s nowhere`)));
}

/* ---- ribbons ---- */

/* In pixels of the boxes as they are, so that ribbons meet them and patterns keep their shape. */
function svgOf(box, number, shapes) {
  const place = box.querySelectorAll(".ribbons")[number];
  const width = place?.clientWidth || 60, height = place?.clientHeight || 400;
  const middle = (selector, index) => {
    const part = box.querySelectorAll(selector)[index];
    return part ? part.getBoundingClientRect().top - place.getBoundingClientRect().top + part.clientHeight / 2 : height / 2;
  };
  return s("svg", { class: "flow", viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true" }, shapes(width, middle));
}

const thickness = (part, total) => (part > 0 ? Math.max(1.5, (part / Math.max(total, 10)) * THICKEST) : 0);

function ribbon(kind, width, y0, y1, thick) {
  const bend = width / 2;
  const d = `M0 ${y0}C${bend} ${y0} ${bend} ${y1} ${width} ${y1}V${y1 + thick}C${bend} ${y1 + thick} ${bend} ${y0 + thick} 0 ${y0 + thick}Z`;
  return [s("path", { class: `ribbon fill-${kind}`, d }), kind !== "lambda" && s("path", { fill: kind === "ecs" ? "url(#hatch)" : "url(#cross)", d })];
}

const idle = (width, y0, y1) => s("path", { class: "idle", d: `M0 ${y0}C${width / 2} ${y0} ${width / 2} ${y1} ${width} ${y1}` });

/* The parts of a node's traffic, in the order in which they are stacked. */
const partsOf = (node) => [
  { kind: "lambda", to: 0, rate: node.to.lambda - node.failing.lambda },
  { kind: "failed", to: 0, rate: node.failing.lambda },
  { kind: "ecs", to: 1, rate: node.to.ecs - node.failing.ecs },
  { kind: "failed", to: 1, rate: node.failing.ecs },
];

function fromClients(way, total, width, middle) {
  const parts = way.nodes.map((node) => node.to.lambda + node.to.ecs + node.nowhere);
  const thick = parts.map((part) => thickness(part, total));
  const start = middle(".clients", 0);
  let from = start - thick.reduce((sum, each) => sum + each, 0) / 2;
  return thick.map((each, index) => {
    const to = middle(".node", index);
    const shape = each ? ribbon("clients", width, from, to - each / 2, each)[0] : idle(width, start, to);
    from += each;
    return shape;
  });
}

function toPools(way, total, width, middle) {
  const flows = way.nodes.map((node) => partsOf(node).map((part) => ({ ...part, thick: thickness(part.rate, total) })));
  const arriving = [0, 1].map((pool) => flows.flat().filter((flow) => flow.to === pool).reduce((sum, flow) => sum + flow.thick, 0));
  const at = arriving.map((thick, pool) => middle(".pool", pool) - thick / 2);
  return flows.map((parts, index) => {
    let from = middle(".node", index) - parts.reduce((sum, part) => sum + part.thick, 0) / 2;
    return parts.map((part) => {
      if (!part.thick) return part.kind === "failed" ? null : idle(width, middle(".node", index), middle(".pool", part.to));
      const shape = ribbon(part.kind, width, from, at[part.to], part.thick);
      from += part.thick;
      at[part.to] += part.thick;
      return shape;
    });
  });
}

/* ---- pools ---- */

const fact = (name, ...value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));

function functionBox(own) {
  const full = own.in_flight >= own.limit;
  const cells = own.limit <= MOST_CELLS && own.limit > 0;
  return h("div", { class: `pool of-lambda ${full || own.failing ? "bad" : ""}` },
    h("div", { class: "row between" }, h("b", { class: "is-lambda" }, "Lambda"), h("span", { class: "row" },
      own.failing > 0 && badge("alarm", `${rate(own.failing)}/s fail`), h("span", { class: "soft small" }, `${rate(own.rate)}/s`))),
    h("div", {}, h("span", { class: "row between" }, h("span", {}, h("b", { class: "figure" }, own.in_flight), h("span", { class: "soft small" }, ` in flight of ${own.limit}${own.reserved === null ? ", what the account has left" : ""}`)),
      full && badge("alarm", "at its limit")),
      cells ? cellsOf(own, full) : gauge(own.in_flight, own.limit, full ? "failed" : "lambda", `${own.in_flight} of ${own.limit} in flight`)),
    h("dl", { class: "facts" }, fact("Environments", own.environments, h("span", { class: "soft small" }, ` ${own.idle} idle`)),
      fact("Throttled", `${rate(own.throttled)}/s`), fact("Mean time", own.mean_seconds === null ? "–" : `${plain(own.mean_seconds)} s`),
      fact("Can carry", own.carries === null ? "–" : `≈ ${Math.round(own.carries)}/s`)));
}

function cellsOf(own, full) {
  const width = 100 / own.limit;
  return s("svg", { class: "cells", role: "img", "aria-label": `${own.in_flight} of ${own.limit} in flight` },
    Array.from({ length: own.limit }, (_, index) =>
      s("rect", { class: index < own.in_flight ? (full ? "fill-failed" : "fill-lambda") : "fill-none", x: `${index * width + 0.25}%`, width: `${width - 0.5}%`, height: "100%" })));
}

function tasksBox(own) {
  const live = own.tasks.filter((task) => task.status !== "STOPPED");
  const healthy = live.filter((task) => task.target?.state === "healthy").length;
  return h("div", { class: `pool of-ecs ${own.failing ? "bad" : ""}` },
    h("div", { class: "row between" }, h("b", { class: "is-ecs" }, "ECS"), h("span", { class: "row" },
      own.status !== "ACTIVE" && badge("alarm", own.status), own.fails_open && badge("warn", "fails open"),
      own.failing > 0 && badge("alarm", `${rate(own.failing)}/s fail`), h("span", { class: "soft small" }, `${rate(own.rate)}/s`))),
    h("div", { class: "row between" },
      h("span", {}, h("b", { class: "figure" }, healthy), h("span", { class: "soft small" }, ` healthy of ${own.desired} desired`)),
      h("span", { class: "soft small" }, own.capacity !== null ? `capacity for ${own.capacity}` : own.rollout === "COMPLETED" ? `revision ${own.revision}` : `revision ${own.revision}: ${own.rollout.toLowerCase().replace("_", " ")}`)),
    h("div", { class: "tiles" }, own.tasks.length ? [...live.reverse(), ...own.tasks.filter((task) => task.status === "STOPPED")].map(tile) : h("p", { class: "soft small empty" }, "No task. One that is asked for appears here, on its way from PROVISIONING to RUNNING.")),
    h("p", { class: "soft small clamp event" }, own.events.length ? own.events[0].message.replace(/\(service [^)]*\) /, "").replace(/arn:aws:[^)]*\//g, "…/") : "No service events yet."));
}

function tile(task) {
  const step = STEPS.indexOf(task.status);
  const target = task.target;
  return h("div", { class: `tile ${task.status === "STOPPED" ? "gone" : ""}`, title: task.reason || task.id },
    h("div", { class: "row between" }, h("span", { class: "mono" }, task.id.slice(0, 6)), h("span", { class: "small" }, STEP_WORDS[task.status], task.next_in !== null && task.next_in > 0 && ` ${left(task.next_in)}`)),
    h("span", { class: "steps", "aria-hidden": "true" }, STEPS.map((_, index) => h("i", { class: index < step ? "done" : index === step ? `now ${step > 2 ? "ending" : ""}` : "" }))),
    h("div", { class: "row between small" },
      target ? badge(HEALTH[target.state] ?? "none", target.state === "initial" ? `initial ${target.passed}/${target.needed}` : target.state) : h("span", { class: "soft" }, task.status === "STOPPED" ? "gone" : "no target yet"),
      target && h("span", { class: "nowrap" }, target.drained_in !== null ? `${target.in_flight} left, ${left(target.drained_in)}` : `${target.in_flight} in flight`)));
}
