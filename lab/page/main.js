/* Asks the lab once a second what is true, and shows it; says so when the lab no longer answers. */
import { AccidentControls } from "./accidents.js";
import { showAlarms } from "./alarms.js";
import { ask, Refusal } from "./ask.js";
import { showCalls } from "./calls.js";
import { by, h, show } from "./dom.js";
import { showEvents } from "./events.js";
import { LoadControls } from "./load.js";
import { ScenarioControls } from "./scenario.js";
import { SwitchControls } from "./switches.js";
import { Answers, showTraffic } from "./traffic.js";
import { showUnseen } from "./unseen.js";
import { showWay } from "./way.js";
import { badge, clock, positionBadge, rate } from "./words.js";

const EVERY = 1000; // milliseconds
const LOST_AFTER = 2500;

let answers = new Answers();
let controls = null;
let view = null;
let heard = Date.now();
let round = 0;
let waiting = false;

/* ---- which application ---- */

const PREFIX = "#application=";
let wanted = location.hash.startsWith(PREFIX) ? decodeURIComponent(location.hash.slice(PREFIX.length)) : "";

addEventListener("hashchange", () => {
  if (!location.hash.startsWith(PREFIX)) return;
  choose(decodeURIComponent(location.hash.slice(PREFIX.length)));
});

function choose(slug) {
  wanted = slug;
  answers = new Answers();
  look();
}

/* ---- looking ---- */

async function look() {
  const own = ++round;
  waiting = true;
  const asked = answers;
  const query = new URLSearchParams({ ...(wanted && { application: wanted }), since: asked.until });
  try {
    controls ??= await build();
    const told = await ask(`/_lab/view?${query}`);
    if (own !== round) return;
    heard = Date.now();
    view = told;
    asked.add(told.answers, told.now);
    render();
  } catch (error) {
    if (error instanceof Refusal) wanted = ""; // another lab, without this application
    else if (!(error instanceof TypeError || error.name === "TimeoutError" || error.name === "AbortError" || error instanceof SyntaxError)) throw error;
  } finally {
    if (own === round) {
      waiting = false;
      showPulse();
    }
  }
}

async function build() {
  const [catalogue, accidents, scenarios] = await Promise.all([ask("/_lab/faults"), ask("/_lab/accidents"), ask("/_lab/scenarios")]);
  const parts = [
    new LoadControls(by("load-controls"), report),
    new ScenarioControls(by("scenario-controls"), scenarios, report),
    new SwitchControls(by("switches-controls"), catalogue, report),
    new AccidentControls(by("accidents-controls"), accidents),
  ];
  by("alarms-only").addEventListener("change", render);
  return parts;
}

/* What was asked of the lab: said to whoever listens, and looked at right away. */
async function report(asked, words) {
  const told = by("told");
  try {
    await asked;
    told.textContent = words;
  } catch (error) {
    told.textContent = error instanceof Refusal ? error.message : "The lab does not answer.";
    by("accident-told").className = "told bad";
    by("accident-told").textContent = told.textContent;
  }
  await look();
}

/* ---- showing ---- */

function render() {
  if (!view) return;
  document.title = `${view.truths[0].kind === "alarm" ? "▲ " : ""}${view.name} · the lab`;
  show(by("tabs"), view.applications.map(tab));
  show(by("name"), view.name);
  show(by("position"), positionBadge(view.position));
  show(by("truths"), view.truths.map((each) => h("li", { class: each.kind }, badge(each.kind, ""), h("span", {}, each.text))));
  showWay(by("way-shown"), view);
  showTraffic(by("traffic-shown"), by("causes"), answers, view);
  showAlarms(by("alarms-shown"), view);
  showEvents(by("events-counts"), by("events-shown"), view, by("alarms-only").checked);
  showCalls(by("calls-shown"), by("buckets"), view);
  showUnseen(by("unseen-shown"), view);
  controls.forEach((each) => each.show(view));
}

function tab(each) {
  const state = each.failing > 0 ? badge("alarm", `${rate(each.failing)}/s fail`) : each.alarm ? badge("alarm", "ALARM") : badge("ok", `${rate(each.rate)}/s`);
  return h("a", { href: `${PREFIX}${encodeURIComponent(each.slug)}`, "aria-current": each.slug === view.application ? "page" : null }, each.name, " ", state);
}

function showPulse() {
  const lost = Date.now() - heard > LOST_AFTER;
  document.documentElement.classList.toggle("is-lost", lost);
  by("controls").inert = lost;
  by("lost").hidden = !lost;
  if (lost) show(by("lost"), `Connection lost: the lab does not answer. ${view ? `What you see is from ${clock(view.now)}.` : "Is it running?"}`);
  show(by("pulse-text"), lost ? "lost" : view ? `live ${clock(view.now)}` : "connecting");
}

/* ---- the beat ---- */

setInterval(() => { if (!document.hidden && !waiting) look(); }, EVERY);
setInterval(showPulse, EVERY);
document.addEventListener("visibilitychange", () => { if (!document.hidden) look(); });
addEventListener("resize", render);
look();
