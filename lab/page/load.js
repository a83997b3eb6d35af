/* Requests a second and how many of them are slow: sliders that follow the lab, unless a hand is on them. */
import { ask } from "./ask.js";
import { by, h } from "./dom.js";
import { rate } from "./words.js";

const PRESETS = [["Nothing", 0, 1], ["Calm", 52, 1], ["Surge", 150, 2.4]];
const HANDS_OFF = 2500; // milliseconds after a change by hand during which the lab's own value does not move it

export class LoadControls {
  constructor(box, report) {
    this.report = report;
    this.touched = 0;
    this.rate = field("load-rate", "Requests a second", 300, 1, () => this.moved());
    this.slow = field("load-slow", "Percent slow (5 s)", 20, 0.2, () => this.moved());
    box.append(this.rate.element, this.slow.element, h("div", { class: "row wrap" }, PRESETS.map(([name, value, slow]) =>
      h("button", { type: "button", class: "small-button", onclick: () => { this.rate.set(value); this.slow.set(slow); this.moved(); } }, `${name}`, h("span", { class: "soft" }, value ? ` ${value}/s, ${slow} %` : "")))));
  }

  moved() {
    this.touched = Date.now();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.send(), 200);
  }

  send() {
    this.report(ask("/_lab/loads", "PUT", { application: this.application, rate: this.rate.value, slow_percent: this.slow.value }), `Load of ${this.application}: ${this.rate.value} a second`);
  }

  show(view) {
    const { load } = view;
    const other = this.application !== view.application;
    this.application = view.application;
    by("load-arriving").textContent = load.rate > 0 && load.arriving === 0 ? "nobody sends: run python -m lab.traffic" : `${rate(load.arriving)} a second arrive`;
    if (!other && Date.now() - this.touched < HANDS_OFF) return;
    this.rate.set(load.rate);
    this.slow.set(load.slow_percent);
  }
}

function field(id, label, most, step, changed) {
  const slider = h("input", { type: "range", id, min: 0, max: most, step, oninput: () => { number.value = slider.value; changed(); } });
  const number = h("input", { type: "number", min: 0, max: most === 20 ? 100 : 1000, step, "aria-label": `${label}, as a number`, oninput: () => { slider.value = number.value; changed(); } });
  return {
    element: h("div", { class: "slider" }, h("label", { for: id }, label), slider, number),
    get value() { return Math.max(0, Number(number.value) || 0); },
    set(value) {
      if (document.activeElement !== number) number.value = value;
      slider.value = value;
    },
  };
}
