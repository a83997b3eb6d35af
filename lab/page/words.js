/* Numbers, times and states in words and shapes. */
import { h, s } from "./dom.js";

const two = (n) => String(n).padStart(2, "0");

export function clock(epoch) {
  const at = new Date(epoch * 1000);
  return `${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}`;
}

export function ago(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

export const left = (seconds) => `${Math.max(0, seconds).toFixed(seconds < 10 ? 1 : 0)} s`;
export const plain = (value) => (value === null || value === undefined ? "–" : String(Math.round(value * 100) / 100));

export function rate(value) {
  if (value === 0) return "0";
  return value < 10 ? value.toFixed(1) : String(Math.round(value));
}

/* A state has a shape, a word and a colour. */
const SHAPES = { ok: "●", alarm: "▲", warn: "◆", none: "○", now: "◐" };
export const badge = (kind, ...words) => h("span", { class: `badge ${kind}` }, h("span", { "aria-hidden": "true" }, SHAPES[kind]), words);

const ALARMS = { OK: "ok", ALARM: "alarm", INSUFFICIENT_DATA: "none" };
export const alarmBadge = (state) => badge(ALARMS[state], state === "INSUFFICIENT_DATA" ? "NO DATA" : state);

const POSITIONS = { lambda: ["none", "written: all on Lambda"], ecs: ["now", "written: all on ECS"], split: ["warn", "written: split"] };
export const positionBadge = (position) => badge(...POSITIONS[position]);

function share(weights) {
  const total = (weights.lambda || 0) + (weights.ecs || 0) + (weights.third || 0);
  return total ? { lambda: ((weights.lambda || 0) + (weights.third || 0)) / total, ecs: (weights.ecs || 0) / total } : null;
}

/* Two weights and their proportion: pattern and label, not colour alone. */
export function split(weights) {
  if (!weights) return h("div", { class: "split" }, h("span", { class: "labels" }, "forwards to no pool"), track(null));
  return h("div", { class: "split" },
    h("span", { class: "labels" }, h("span", { class: "is-lambda" }, `Lambda ${weights.lambda ?? "–"}`), weights.third !== undefined && h("span", { class: "soft" }, `third ${weights.third}`), h("span", { class: "is-ecs" }, `${weights.ecs ?? "–"} ECS`)),
    track(weights));
}

/* In percent of its own width instead of a view box, which would stretch the pattern. */
const bar = (kind, x, width) => s("rect", { class: `fill-${kind}`, x: `${x}%`, width: `${width}%`, height: "100%" });

function track(weights) {
  const parts = weights && share(weights);
  const name = parts ? `${Math.round(parts.lambda * 100)} % Lambda, ${Math.round(parts.ecs * 100)} % ECS` : "nowhere";
  const at = parts ? parts.lambda * 100 : 0;
  return s("svg", { class: "track", role: "img", "aria-label": name }, bar("none", 0, 100),
    parts && [bar("lambda", 0, at), bar("ecs", at, 100 - at), s("rect", { fill: "url(#hatch)", x: `${at}%`, width: `${100 - at}%`, height: "100%" })]);
}

/* A value against its limit. */
export function gauge(value, limit, kind, label) {
  const part = limit > 0 ? Math.min(1, value / limit) : value > 0 ? 1 : 0;
  return s("svg", { class: "gauge", role: "img", "aria-label": label }, bar("none", 0, 100), bar(kind, 0, part * 100));
}
