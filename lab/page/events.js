/* Event deliveries: every attempt and its answer, what waits, what is held, what is dead. */
import { h, show } from "./dom.js";
import { badge, clock, left } from "./words.js";

const OUTCOMES = { delivered: ["ok", "delivered"], pending: ["now", "waiting"], held: ["warn", "held"], dead: ["alarm", "dead letter"], dropped: ["alarm", "dropped"], unrouted: ["none", "no destination"] };
const WORDS = { pending: "waiting", held: "held", delivered: "delivered", dead: "in the dead-letter queue", dropped: "dropped", unrouted: "without a destination" };
const BAD = new Set(["dead", "dropped"]);

export function showEvents(counts, box, view, alarmsOnly) {
  const { events } = view;
  show(counts, Object.entries(events.counts).map(([name, count]) =>
    h("span", { class: `chip ${count && BAD.has(name) ? "bad" : ""} ${count ? "" : "soft"}` }, h("b", {}, count), ` ${WORDS[name]}`)));
  const rows = events.deliveries.filter((each) => !alarmsOnly || each.kind === "alarm").sort((a, b) => b.at - a.at || a.copy - b.copy);
  show(box, rows.length ? table(rows) : h("p", { class: "soft small empty" }, events.destination
    ? "No event yet: alarms that turn and tasks that move are delivered from here."
    : ["No destination: nobody told the lab where events go. ", h("code", {}, "PUT /_lab/destination"), " does; the panel of ", h("code", {}, "make demo"), " has done it."]));
}

function table(rows) {
  return h("table", { class: "rows" },
    h("thead", {}, h("tr", {}, ["Accepted", "Event", "Attempts", "Outcome"].map((name) => h("th", { scope: "col" }, name)))),
    h("tbody", {}, rows.map((each) => h("tr", { class: each.kind === "alarm" ? "" : "quiet" },
      h("td", { class: "nowrap" }, clock(each.at)),
      h("td", {}, each.what, each.copies > 1 && [" ", badge("warn", `duplicate ${each.copy} of ${each.copies}`)]),
      h("td", { class: "nowrap" }, attempts(each)),
      h("td", { class: "nowrap" }, badge(...OUTCOMES[each.outcome]), each.next_in !== null && each.outcome === "pending" && h("span", { class: "soft small" }, ` next in ${left(each.next_in)}`),
        each.exhausted && h("span", { class: "soft small" }, ` ${each.exhausted}`))))));
}

function attempts(each) {
  if (!each.attempts.length) return h("span", { class: "soft small" }, "none yet");
  const earlier = each.attempts.length - 3;
  return [earlier > 0 && h("span", { class: "soft small" }, `${earlier} more, `), each.attempts.slice(-3).map(attempt)];
}

function attempt(one) {
  const good = one.status !== null && one.status < 300;
  const words = one.open ? "…" : one.status ?? "no answer";
  return h("span", { class: `attempt ${one.open ? "" : good ? "good" : "bad"}`, title: `${clock(one.at)} ${one.error}` }, h("span", { "aria-hidden": "true" }, one.open ? "" : good ? "✓ " : "✕ "), words);
}
