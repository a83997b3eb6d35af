/* Scenarios: pick one, read its story, play it; what it waits for, what happened, what was found. */
import { ask } from "./ask.js";
import { by, h, show } from "./dom.js";
import { badge, clock } from "./words.js";

const KINDS = { story: "◆", load: "≋", switch: "⏻", accident: "✶", problem: "✕", weights: "⇄" };

export class ScenarioControls {
  constructor(box, catalogue, report) {
    this.catalogue = catalogue;
    this.choice = h("select", { id: "scenario-choice", onchange: () => this.tell() }, catalogue.map((each) => h("option", { value: each.name, selected: each.name === "surge" }, each.title)));
    this.story = h("p", { class: "story small" });
    this.button = h("button", { type: "button", class: "primary", onclick: () => this.press(report) }, "Play");
    this.waits = h("p", { class: "waits small" });
    this.told = h("div", { class: "scroll told-list", role: "group", tabindex: 0, "aria-label": "What happened in the scenario" });
    box.append(h("div", { class: "row" }, h("label", { class: "visually-hidden", for: "scenario-choice" }, "Scenario"), this.choice, this.button), this.story, this.waits, this.told);
    this.tell();
  }

  press(report) {
    if (this.playing) report(ask("/_lab/scenario", "DELETE"), "The scenario is stopped and everything mended");
    else report(this.play(), `${this.choice.selectedOptions[0].textContent} is played`);
  }

  async play() {
    return ask("/_lab/scenario", "PUT", { name: this.choice.value });
  }

  tell() {
    const played = this.scenario && this.playing ? this.scenario : this.catalogue.find((each) => each.name === this.choice.value);
    show(this.story, played ? played.story.trim() : "");
  }

  show(view) {
    this.scenario = view.scenario;
    this.playing = Boolean(this.scenario && !this.scenario.ended);
    this.choice.disabled = this.playing;
    this.button.textContent = this.playing ? "Stop" : "Play";
    this.button.classList.toggle("primary", !this.playing);
    this.tell();
    show(this.waits, this.playing ? ["Waiting for ", h("b", {}, this.scenario.waiting_for), "."] : "");
    show(by("scenario-state"), state(this.scenario, this.playing));
    show(this.told, this.scenario ? [findings(this.scenario), moments(this.scenario)] : h("p", { class: "soft small empty" }, "Nothing is played. A scenario changes load and switches by itself, step by step, and judges the end."));
  }
}

function state(scenario, playing) {
  if (!scenario) return badge("none", "nothing is played");
  if (playing) return badge("now", "playing");
  const well = scenario.findings.every((each) => each.holds);
  return badge(well ? "ok" : "alarm", well ? "ended well" : "ended badly");
}

function findings(scenario) {
  return scenario.findings.length > 0 && h("ul", { class: "findings small" }, h("li", {}, h("b", {}, scenario.title)), scenario.findings.map((each) =>
    h("li", { class: each.holds ? "good" : "bad" }, h("span", { "aria-hidden": "true" }, each.holds ? "✓ " : "✕ "), each.name, each.holds ? "" : `: ${each.seen}`)));
}

function moments(scenario) {
  return h("ol", { class: "moments small" }, [...scenario.told].reverse().map((each) =>
    h("li", { class: each.what }, h("span", { class: "soft nowrap" }, clock(each.at)), h("span", { "aria-hidden": "true" }, KINDS[each.what] ?? "·"), h("span", {}, each.what === "weights" ? `weights are at ${each.detail}` : each.detail))));
}
