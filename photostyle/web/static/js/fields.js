// The controls of options, made from what the library says of them.
import { h, iconButton, sentence } from "./dom.js";
import { T } from "./strings.js";
import { setOptions, store, toast } from "./store.js";
import { openSweep } from "./sweep.js";

/** What an option is called: in plain words where it is one that most people turn. */
export const text = name => T.options[name] || name.replaceAll("_", " ");
const changed = name => store.state.options[name] !== undefined;
export const value = name => store.state.options[name] ?? store.options.presets[store.state.preset][name];
export const set = (name, found) => setOptions({ [name]: found });

/** The control for an option, by its kind and limits. */
function control(row) {
  const id = `option-${row.name}`,
    at = value(row.name),
    common = { id, class: "control", "data-key": id, "aria-describedby": `${id}-help` };
  if (row.choices) {
    const none = row.optional ? [h("option", { value: "", selected: at === null }, T.own)] : [];
    return h(
      "select",
      { ...common, onchange: e => set(row.name, e.target.value || null) },
      none,
      row.choices.map(c => h("option", { value: c, selected: at === c }, c)),
    );
  }
  if (row.kind === "int" || row.kind === "float") {
    return h("input", {
      ...common,
      type: "number",
      min: row.low,
      max: row.high,
      step: row.kind === "int" ? 1 : "any",
      value: at ?? "",
      placeholder: T.own,
      onchange: e => tellNumber(row, e.target),
    });
  }
  const words = Array.isArray(at) ? at.join(", ") : (at ?? "");
  return h("input", {
    ...common,
    type: "text",
    value: words,
    placeholder: T.own,
    onchange: e => tellWords(row, e.target.value),
  });
}

function tellNumber(row, input) {
  const number = input.value === "" ? null : Number(input.value);
  const wrong = !input.checkValidity() && !Number.isFinite(number ?? NaN) && input.value !== "";
  input.classList.toggle("wrong", wrong);
  if (wrong) toast(`${row.flag}: ${input.validationMessage}`);
  else set(row.name, number);
}

function tellWords(row, words) {
  const parts = words
    .split(",")
    .map(w => w.trim())
    .filter(Boolean);
  if (!parts.length) set(row.name, null);
  else set(row.name, row.kind === "numbers" ? parts.map(Number) : row.kind === "words" ? parts : words);
}

export function field(row) {
  const id = `option-${row.name}`,
    label = text(row.name),
    numeric = row.kind === "int" || row.kind === "float";
  const sweeps = (numeric || row.choices) && !["size", "output_size", "seed"].includes(row.name);
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    iconButton("reset", T.reset(label), () => set(row.name, null), {
      class: changed(row.name) ? "icon bare undo" : "icon bare undo same",
    }),
    sweeps
      ? iconButton("grid", T.sweep(label), () => openSweep(row, label), {
          class: "icon bare undo",
          "data-key": `sweep-${row.name}`,
        })
      : h("span"),
    control(row),
    h("p", { class: "help", id: `${id}-help` }, row.help),
  );
}

let open = new Set();
/** Every option that is not among those that matter, by the stage that reads it. */
export function allOptions() {
  const { options, stages, usual } = store.options;
  const rest = options.filter(row => !usual.includes(row.name) && !row.own);
  const groups = Object.entries(stages).map(([stage, title]) => {
    const rows = rest.filter(row => row.stage === stage);
    return rows.length
      ? h(
          "details",
          {
            open: open.has(stage),
            ontoggle: e => {
              if (e.target.open) open.add(stage);
              else open.delete(stage);
            },
          },
          h("summary", {}, sentence(title.replace(/^Stage \d, /, "").replace(/\.$/, ""))),
          h("div", { class: "stack" }, rows.map(field)),
        )
      : null;
  });
  return h(
    "details",
    {
      open: open.has("all"),
      ontoggle: e => {
        if (e.target.open) open.add("all");
        else open.delete("all");
      },
    },
    h("summary", {}, T.all),
    h("div", { class: "stack" }, groups),
  );
}
