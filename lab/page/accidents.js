/* Accidents: what somebody or something does once, each with the values that it takes. */
import { ask, Refusal } from "./ask.js";
import { by, h } from "./dom.js";
import { clock } from "./words.js";

const FOR_GOOD = new Set(["delete_service"]);

export class AccidentControls {
  constructor(box, catalogue) {
    this.offered = [];
    box.append(...catalogue.map((accident) => this.entry(accident)));
  }

  entry(accident) {
    const fields = accident.parameters.map((parameter) => this.field(accident, parameter));
    const button = h("button", { type: "submit", class: FOR_GOOD.has(accident.name) ? "danger" : "" }, FOR_GOOD.has(accident.name) ? "Do it, for good" : "Let it happen");
    const form = h("form", { onsubmit: (event) => { event.preventDefault(); this.perform(accident, fields, button); } }, fields.map((field) => field.element), button);
    return h("details", { name: "accidents" }, h("summary", {}, h("b", {}, accident.title)), h("p", { class: "soft small" }, accident.meaning), form);
  }

  async perform(accident, fields, button) {
    const told = by("accident-told");
    const values = Object.fromEntries(fields.map((field) => [field.name, field.read()]).filter(([, value]) => value !== undefined));
    button.disabled = true;
    try {
      const done = await ask("/_lab/accidents", "POST", { application: this.application, accident: accident.name, with: values });
      tell(told, "good", `${accident.title} happened to ${this.application} at ${clock(Date.now() / 1000)}${done.result ? `: ${done.result}` : ""}.`);
    } catch (error) {
      tell(told, "bad", error instanceof Refusal ? error.message : "The lab does not answer.");
    } finally {
      button.disabled = false;
    }
  }

  field(accident, parameter) {
    const id = `${accident.name}-${parameter.name}`;
    const control = this.control(parameter, id);
    const hint = !parameter.required && parameter.kind !== "flag" ? "may be left out" : parameter.may_be_none ? "empty: none" : "";
    return {
      name: parameter.name,
      element: h("div", { class: "field" }, h("label", { for: id, class: "small" }, parameter.label, hint && h("span", { class: "soft" }, ` ${hint}`)), control),
      read: () => read(parameter, control),
    };
  }

  control(parameter, id) {
    if (parameter.kind === "flag") return h("input", { type: "checkbox", id });
    if (parameter.kind === "number") return h("input", { type: "number", id, min: 0, step: 1, required: parameter.required && !parameter.may_be_none });
    if (parameter.kind === "choice") return h("select", { id }, parameter.choices.map((value) => h("option", { value }, value || "(none)")));
    if (!["alarm", "task", "path"].includes(parameter.name)) return h("input", { type: "text", id, value: parameter.default ?? "" });
    const select = h("select", { id });
    this.offered.push([select, parameter.name]);
    return select;
  }

  show(view) {
    this.application = view.application;
    for (const [select, name] of this.offered) offer(select, name, view.offers[name]);
  }
}

const DEFAULTS = { path: "(the default action)", task: "(the oldest)" };

function offer(select, name, values) {
  const had = [...select.options].map((option) => option.value);
  if (document.activeElement === select || (had.length === values.length && had.every((value, index) => value === values[index]))) return;
  const chosen = select.value;
  select.replaceChildren(...values.map((value) => h("option", { value }, value ? value.slice(0, 40) : DEFAULTS[name])));
  if (values.includes(chosen)) select.value = chosen;
}

function read(parameter, control) {
  if (parameter.kind === "flag") return control.checked;
  if (parameter.kind !== "number") return control.value;
  if (control.value !== "") return Number(control.value);
  return parameter.may_be_none && parameter.required ? null : undefined;
}

function tell(place, kind, words) {
  place.className = `told ${kind}`;
  place.textContent = words;
}
