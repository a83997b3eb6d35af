/* Switches in groups: each says what it does, and is off, on, or on with a value, for one application or for all. */
import { ask } from "./ask.js";
import { by, h } from "./dom.js";

const GROUPS = [["tasks", "ECS tasks"], ["function", "Lambda function"], ["api", "AWS's API"], ["events", "Events"]];

export class SwitchControls {
  constructor(box, catalogue, report) {
    this.report = report;
    this.scope = "one";
    this.rows = catalogue.switches.map((each) => this.row(each, catalogue));
    const actions = h("datalist", { id: "actions" }, catalogue.actions.map((name) => h("option", { value: name })));
    box.append(actions, this.scopeChoice(), GROUPS.map(([group, title]) => this.group(group, title)).reduce((all, each) => { all.append(each); return all; }, document.createDocumentFragment()));
    by("mend").addEventListener("click", () => report(ask("/_lab/faults", "DELETE"), "Everything is mended"));
  }

  scopeChoice() {
    const choice = (value, label) => h("label", {}, h("input", { type: "radio", name: "scope", value, checked: value === this.scope, onchange: () => { this.scope = value; this.show(this.view); } }), label);
    this.oneName = h("span", {}, "this application");
    return h("fieldset", { class: "choices small" }, h("legend", { class: "soft" }, "Break"), choice("one", this.oneName), choice("all", "every application"));
  }

  group(name, title) {
    const rows = this.rows.filter((row) => row.is.group === name);
    return h("section", { "aria-label": title }, h("h3", {}, title, rows[0].is.scope === "account" && h("span", { class: "soft small" }, " of the whole account")), rows.map((row) => row.element));
  }

  row(is, catalogue) {
    const value = valueField(is, catalogue, () => row.box.checked && this.turn(row));
    const box = h("input", { type: "checkbox", role: "switch", id: `switch-${is.name}`, "aria-describedby": `means-${is.name}`, onchange: () => this.turn(row) });
    const note = h("span", { class: "soft small" });
    const row = { is, box, value, note, touched: 0, element: h("div", { class: "switch" }, box,
      h("div", {}, h("label", { for: box.id }, is.title), " ", note, h("p", { class: "soft small", id: `means-${is.name}` }, `${is.meaning[0].toUpperCase()}${is.meaning.slice(1)}.`), value.below && value.element), !value.below && value.element) };
    return row;
  }

  /* Where the switch is set now: on its own, for all applications, or nowhere. */
  setting(row) {
    const own = row.is.scope === "application" && this.scope === "one" ? this.view.application : "";
    const found = (application) => this.view.switches.find((each) => each.switch === row.is.name && each.application === application);
    return found(own) ?? found("");
  }

  turn(row) {
    const on = row.box.checked;
    row.touched = Date.now();
    const application = on ? (row.is.scope === "application" && this.scope === "one" ? this.view.application : "") : this.setting(row)?.application ?? "";
    this.report(ask("/_lab/faults", "PUT", { switch: row.is.name, application, value: on ? row.value.read() : null }), `${row.is.title}: ${on ? "on" : "off"}`);
  }

  show(view) {
    if (!view) return;
    this.view = view;
    this.oneName.textContent = `${view.name} only`;
    for (const row of this.rows) {
      const set = this.setting(row);
      row.element.classList.toggle("on", Boolean(set));
      row.note.textContent = set && row.is.scope === "application" && !set.application ? "on for every application" : "";
      if (Date.now() - row.touched < 1500) continue;
      row.box.checked = Boolean(set);
      if (set) row.value.write(set.value);
    }
    const count = view.switches.length;
    by("switches-on").textContent = count ? `${count} on` : "all off";
    by("mend").disabled = !count;
  }
}

/* What a switch is turned on with: nothing, a number, names out of a few, or names that are typed. */
function valueField(is, catalogue, changed) {
  if (is.kind === "flag") return { element: null, read: () => true, write: () => {} };
  if (is.kind === "number") return numberField(is, changed);
  return is.proposed[0].includes(":") ? typedField(is, changed) : chosenField(is, catalogue.services, changed);
}

const unlessFocused = (field, write) => { if (document.activeElement !== field) write(); };

function numberField(is, changed) {
  const field = h("input", { type: "number", min: 0, value: is.proposed, "aria-label": `${is.title}: ${is.unit}`, onchange: changed });
  return { element: h("span", { class: "value" }, field, h("span", { class: "soft small" }, is.unit)), read: () => Number(field.value) || 0, write: (value) => unlessFocused(field, () => { field.value = value; }) };
}

function typedField(is, changed) {
  const field = h("input", { type: "text", list: "actions", value: is.proposed.join(", "), "aria-label": `${is.title}: IAM actions, separated by commas`, spellcheck: "false", onchange: changed });
  return { below: true, element: field, read: () => field.value.split(",").map((name) => name.trim()).filter(Boolean), write: (names) => unlessFocused(field, () => { field.value = names.join(", "); }) };
}

function chosenField(is, services, changed) {
  const boxes = services.map((name) => h("input", { type: "checkbox", value: name, checked: is.proposed.includes(name), onchange: changed }));
  return {
    below: true,
    element: h("div", { class: "names", role: "group", "aria-label": `${is.title}: services` }, boxes.map((box) => h("label", {}, box, box.value))),
    read: () => boxes.filter((box) => box.checked).map((box) => box.value),
    write: (names) => boxes.forEach((box) => unlessFocused(box, () => { box.checked = names.includes(box.value); })),
  };
}
