/* What AWS does not tell, each with its figure of this moment and the way to it. */
import { h, show } from "./dom.js";
import { left, plain } from "./words.js";

export function showUnseen(box, view) {
  show(box, entries(view).map(([title, link, figure, words]) =>
    h("div", {}, h("dt", {}, h("a", { href: link }, title)), h("dd", {}, h("b", {}, figure), h("p", { class: "soft small" }, words)))));
}

function entries({ way, alarms, events, buckets }) {
  const news = way.nodes.flatMap((node) => node.routes.filter((route) => "news_in" in route).map((route) => [node.name, route.news_in]));
  const drain = way.tasks.tasks.reduce((sum, task) => sum + (task.target?.in_flight ?? 0), 0);
  const next = alarms.length ? Math.min(...alarms.map((alarm) => alarm.evaluated_in)) : null;
  const fullest = buckets.reduce((low, each) => (each.left / each.capacity < low.left / low.capacity ? each : low), buckets[0]);
  return [
    ["Node propagation", "#way", news.length ? news.map(([name, seconds]) => `${name} in ${left(seconds)}`).join(", ") : "all nodes agree", "DescribeRules shows what was written. Each node goes on by what it knows until the news arrives."],
    ["Requests in flight", "#way", `${way.function.in_flight} Lambda, ${drain} ECS`, "A target that drains is listed as draining; how many requests it would cut is not."],
    ["True capacity", "#way", way.function.carries === null ? "no requests yet" : `≈ ${Math.round(way.function.carries)}/s on Lambda`, "What Lambda can carry depends on how long a request takes now. Metrics say what was, a minute ago."],
    ["Evaluation windows", "#alarms", next === null ? "no alarm" : `next in ${left(next)}`, "An alarm shows its state. Which data points are in the window, and what they will make of it, is known here."],
    ["Queue of events", "#events", `${events.counts.pending} waiting, ${events.counts.held} held`, "EventBridge delivers at least once and in no order, and does not show what is on its way."],
    ["Bucket levels", "#calls", `${fullest.name}: ${plain(Math.floor(fullest.left))} of ${fullest.capacity}`, "A client learns that a bucket is empty by being refused. Others in the account empty it too."],
  ];
}
