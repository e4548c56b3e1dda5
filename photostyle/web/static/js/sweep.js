// A small sweep: one option, five values, as a grid to choose from.
import { api } from "./api.js";
import { h, refill } from "./dom.js";
import { T } from "./strings.js";
import { on, post, setOptions, store } from "./store.js";

let dialog = null,
  row = null,
  values = [],
  tried = [];

const now = () => store.state.options[row.name] ?? store.options.presets[store.state.preset][row.name];

/** Five values around the present one. */
function proposed() {
  if (row.choices) return row.choices.slice(0, store.options.sweep);
  const at = Number(now() ?? row.low ?? 1),
    low = row.low ?? -Infinity,
    high = row.high ?? Infinity;
  if (row.kind === "int") {
    const from = Math.max(
      Number.isFinite(low) ? low : 0,
      Math.min(at - 2, (Number.isFinite(high) ? high : Infinity) - 4),
    );
    return [0, 1, 2, 3, 4].map(k => from + k).filter(v => v <= high);
  }
  if (Number.isFinite(high) && high <= 2)
    return [0, 0.25, 0.5, 0.75, 1].map(k =>
      Number((Math.max(low, 0) + (high - Math.max(low, 0)) * k).toPrecision(3)),
    );
  const base = at > 0 ? at : 1;
  return [0.1, 0.3, 1, 3, 10].map(k => Number((base * k).toPrecision(3))).filter(v => v >= low && v <= high);
}

function draw() {
  const show = v => (typeof v === "number" ? String(Number(v.toPrecision(4))) : v);
  const cells = values.map((value, place) => {
    const done = tried[place];
    return h(
      "button",
      {
        type: "button",
        "data-key": `try-${place}`,
        disabled: !done?.version,
        onclick: () => choose(value),
        "aria-label": `${row.name.replaceAll("_", " ")} ${show(value)}`,
      },
      done?.version
        ? h("img", { src: api.at(`/preview/sweep-${place}?v=${done.version}`), alt: "" })
        : h("span", { class: "blank small" }, done?.error),
      h("span", { class: "num" }, show(value), value === now() ? " ✓" : ""),
    );
  });
  const field = h("input", {
    type: "text",
    id: "sweep-values",
    value: values.join(", "),
    onchange: e => {
      values = e.target.value
        .split(",")
        .map(w => (row.choices ? w.trim() : Number(w)))
        .filter(v => v !== "" && !Number.isNaN(v))
        .slice(0, 5);
      begin();
    },
  });
  refill(
    dialog,
    h(
      "div",
      { class: "stack" },
      h("h2", {}, T.sweepTitle(row.name.replaceAll("_", " "))),
      h("p", { class: "dim small" }, T.sweepHelp),
      h("div", { class: "grid5" }, cells),
      h(
        "div",
        { class: "row" },
        h("label", { for: "sweep-values" }, T.sweepValues),
        field,
        h("button", { type: "button", onclick: () => dialog.close() }, T.close),
      ),
    ),
  );
}

function begin() {
  tried = [];
  draw();
  post("/sweep", { name: row.name, values });
}

function choose(value) {
  dialog.close();
  setOptions({ [row.name]: value });
}

export function openSweep(option) {
  row = option;
  values = proposed();
  if (!dialog) {
    dialog = h("dialog", { "aria-label": T.sweepTitle("") });
    dialog.addEventListener("close", () => post("/do/cancel"));
    document.body.append(dialog);
  }
  dialog.showModal();
  begin();
}

on("tried", event => {
  if (!dialog?.open || event.name !== row.name) return;
  tried[event.place] = event.error ? { error: event.error } : { version: event.version };
  draw();
});
