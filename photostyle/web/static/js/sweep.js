// A small sweep: one option, a few values, as a grid to look at and to choose from.
import { api } from "./api.js";
import { h, refill } from "./dom.js";
import { T } from "./strings.js";
import { on, post, setOptions, store } from "./store.js";

let dialog = null,
  row = null,
  label = "",
  values = [],
  tried = [],
  large = null; // the place of the one that is looked at closely

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

const show = v => (typeof v === "number" ? String(Number(v.toPrecision(4))) : v);
const image = place =>
  h("img", { src: api.at(`/preview/sweep-${place}?v=${tried[place].version}`), alt: "" });

function cell(value, place) {
  const done = tried[place];
  return h(
    "button",
    {
      type: "button",
      "data-key": `try-${place}`,
      disabled: !done?.version,
      "aria-pressed": String(place === large),
      onclick: () => enlarge(place),
      "aria-label": `${label} ${show(value)}`,
    },
    done?.version ? image(place) : h("span", { class: "blank small" }, done?.error ?? T.working),
    h("span", { class: "num" }, show(value), value === now() ? " ✓" : ""),
  );
}

/** The value that is looked at closely, with the button that takes it. */
function closely() {
  if (large === null || !tried[large]?.version) return null;
  const value = values[large];
  return h(
    "div",
    { class: "large" },
    image(large),
    h(
      "button",
      { type: "button", class: "main", "data-key": "try-take", onclick: () => choose(value) },
      T.sweepTake(show(value)),
    ),
  );
}

function valuesField() {
  return h("input", {
    type: "text",
    id: "sweep-values",
    "data-key": "sweep-values",
    value: values.join(", "),
    onchange: e => {
      values = e.target.value
        .split(",")
        .map(w => w.trim())
        .filter(Boolean)
        .map(w => (row.choices ? w : Number(w)))
        .filter(v => !Number.isNaN(v))
        .slice(0, store.options.sweep);
      begin();
    },
  });
}

function draw() {
  refill(
    dialog,
    h(
      "div",
      { class: "stack" },
      h("h2", {}, T.sweepTitle(values.length, label)),
      h("p", { class: "dim small" }, T.sweepHelp),
      h("div", { class: "grid5" }, values.map(cell)),
      h(
        "p",
        { class: "dim small", role: "status" },
        T.sweepDone(tried.filter(Boolean).length, values.length),
      ),
      closely(),
      h(
        "div",
        { class: "row" },
        h("label", { for: "sweep-values" }, T.sweepValues),
        valuesField(),
        h("button", { type: "button", "data-key": "sweep-close", onclick: () => dialog.close() }, T.close),
      ),
    ),
  );
}

function enlarge(place) {
  large = place;
  draw();
}

/** Left and right go to the next picture that is there. */
function step(event) {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  if (!by || large === null || event.target.matches("input")) return;
  event.preventDefault();
  let next = large + by;
  while (values[next] !== undefined && !tried[next]?.version) next += by;
  if (values[next] === undefined) return;
  enlarge(next);
  dialog.querySelector(`[data-key=try-${next}]`).focus();
}

function begin() {
  tried = [];
  large = null;
  draw();
  post("/sweep", { name: row.name, values });
}

function choose(value) {
  dialog.close();
  setOptions({ [row.name]: value });
}

/** Opens the sweep of an option, under the name that it has on the page. */
export function openSweep(option, name) {
  row = option;
  label = name;
  values = proposed();
  if (!dialog) {
    dialog = h("dialog", { "aria-label": T.sweepLabel });
    dialog.addEventListener("keydown", step);
    dialog.addEventListener("close", () => post("/do/cancel"));
    document.body.append(dialog);
  }
  dialog.showModal();
  begin();
}

on("tried", event => {
  if (!dialog?.open || event.name !== row.name) return;
  if (String(values[event.place]) !== String(event.value)) return; // of values tried before
  tried[event.place] = event.error ? { error: event.error } : { version: event.version };
  draw();
});
