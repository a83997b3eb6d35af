/* Alarms: state, the window of the next evaluation against the threshold, and what it would say. */
import { h, s, show } from "./dom.js";
import { ago, alarmBadge, badge, clock, left, plain } from "./words.js";

const WIDTH = 236, HEIGHT = 76, FLOOR = 58, CEILING = 14;

export function showAlarms(box, view) {
  const rows = [...view.alarms.map((alarm) => metricRow(alarm, view.now)), ...view.composite_alarms.map((alarm) => compositeRow(alarm, view.now))];
  show(box, rows.length ? rows : h("p", { class: "soft small" }, "This application has no alarm."));
}

function heading(alarm, now) {
  return h("div", { class: "alarm-name" },
    h("b", {}, alarm.name), h("span", { class: "row wrap" }, alarmBadge(alarm.state), !alarm.actions_enabled && badge("none", "actions off"),
      h("span", { class: "soft small nowrap" }, `for ${ago(now - alarm.since)}`)));
}

function metricRow(alarm, now) {
  const turns = alarm.would_be !== alarm.state;
  return h("article", { class: `alarm-row ${alarm.state === "ALARM" ? "bad" : ""}` },
    h("div", {}, heading(alarm, now), h("p", { class: "soft small" }, `${alarm.statistic} of ${alarm.metric}, ${alarm.comparison} ${plain(alarm.threshold)}, each ${alarm.period} s`)),
    drawWindow(alarm),
    h("dl", { class: "next small" },
      h("div", {}, h("dt", {}, "Breaching"), h("dd", {}, h("b", {}, alarm.breaching), ` of ${alarm.of}, ${alarm.needed} needed`)),
      h("div", {}, h("dt", {}, "Evaluated in"), h("dd", {}, left(alarm.evaluated_in))),
      h("div", {}, h("dt", {}, "As it stands"), h("dd", {}, turns ? h("b", {}, `turns ${alarm.would_be}`) : `stays ${alarm.would_be}`))));
}

function drawWindow(alarm) {
  const most = Math.max(alarm.threshold * 1.5, ...alarm.periods.map((each) => each.value ?? 0)) || 1;
  const step = WIDTH / alarm.periods.length;
  const y = (value) => FLOOR - (value / most) * (FLOOR - CEILING);
  const words = alarm.periods.map((each) => `${clock(each.at)} ${each.value === null ? "no data" : plain(each.value)}`).join(", ");
  return s("svg", { class: "window", role: "img", "aria-label": `Data points: ${words}; threshold ${alarm.threshold}`, viewBox: `0 0 ${WIDTH} ${HEIGHT}` },
    alarm.periods.map((each, index) => drawPeriod(each, index * step, step, y)),
    s("line", { class: "threshold", x1: 0, x2: WIDTH, y1: y(alarm.threshold), y2: y(alarm.threshold) }));
}

function drawPeriod(each, x, step, y) {
  const kind = each.breaches ? "fill-failed" : "fill-point";
  const top = each.value === null ? FLOOR : Math.min(FLOOR - 1.5, y(each.value));
  return s("g", { class: `${each.counts ? "" : "apart"} ${each.open ? "open" : ""}` },
    s("rect", { class: kind, x: x + 5, width: step - 10, y: top, height: FLOOR - top }),
    each.breaches && s("rect", { fill: "url(#cross)", x: x + 5, width: step - 10, y: top, height: FLOOR - top }),
    s("text", { x: x + step / 2, y: top - 4, "text-anchor": "middle", class: each.breaches ? "over" : "" }, each.value === null ? "–" : plain(each.value)),
    s("text", { class: "when", x: x + step / 2, y: HEIGHT - 4, "text-anchor": "middle" }, each.open ? "open" : clock(each.at).slice(3)));
}

function compositeRow(alarm, now) {
  return h("article", { class: `alarm-row composite ${alarm.state === "ALARM" ? "bad" : ""}` },
    h("div", {}, heading(alarm, now), h("p", { class: "mono" }, alarm.rule)),
    alarm.suppressor && h("p", { class: "small" }, `Actions suppressed by ${alarm.suppressor}: `, alarm.suppressed_by ? badge("warn", alarm.suppressed_by) : "no"));
}
