// Adjusting: what acts at once, the preset, the options that matter, and all others.
import { h, icon, iconButton, sentence } from "./dom.js";
import { T } from "./strings.js";
import { quoted, shares } from "./live.js";
import { rendering, wish } from "./result.js";
import { patch, setOptions, shown, store, toast } from "./store.js";
import { allOptions, field, set, value } from "./fields.js";

/** A slider from 0 to 1 that acts while it moves and is told when it is let go. */
function slider({ key, label, at, start, tell, hue, undo }) {
  const output = h("output", { for: key }, `${Math.round(at * 100)}%`);
  const input = h("input", {
    type: "range",
    id: key,
    "data-key": key,
    min: 0,
    max: 1,
    step: 0.01,
    value: at,
    oninput: e => {
      output.textContent = `${Math.round(e.target.value * 100)}%`;
      wish({ ...rendering(), ...start(Number(e.target.value)) });
    },
    onchange: e => {
      const options = start(Number(e.target.value));
      wish({ ...rendering(), ...options });
      tell(options);
    },
  });
  return h(
    "div",
    { class: "slide" },
    h("label", { for: key }, hue ? h("span", { class: "swatch", style: { background: hue } }) : null, label),
    iconButton("reset", T.reset(label), undo, { class: at === 1 ? "icon bare undo same" : "icon bare undo" }),
    output,
    input,
  );
}

const single = (name, label) =>
  slider({
    key: `live-${name}`,
    label,
    at: value(name) ?? 1,
    start: v => ({ [name]: v }),
    tell: setOptions,
    undo: () => set(name, null),
  });

function strengthWords(whole, of) {
  const parts = Object.entries(of)
    .filter(([, v]) => v !== whole)
    .map(([n, v]) => `${quoted(n)}=${Number(v.toFixed(3))}`);
  return [Number(whole.toFixed(3)), ...parts].join(",");
}

let regionsOpen = null; // as somebody left it
function strengthSliders() {
  const found = shares(store.state.options.strength ?? "1"),
    whole = found.whole ?? 1,
    names = shown()?.names || [];
  const colours = Object.fromEntries(
    (store.state.regions?.regions || []).map(r => [r.name, `rgb(${r.colour.join(" ")})`]),
  );
  const rows = [
    slider({
      key: "live-strength",
      label: T.strength,
      at: whole,
      start: v => ({ strength: strengthWords(v, found.of) }),
      tell: setOptions,
      undo: () => set("strength", null),
    }),
  ];
  const own =
    names.length > 1
      ? h(
          "details",
          { open: regionsOpen ?? Object.keys(found.of).length > 0, ontoggle: e => (regionsOpen = e.target.open) },
          h("summary", {}, T.perRegion),
          h(
            "div",
            { class: "stack" },
            names.map(name =>
              slider({
                key: `live-strength-${name}`,
                label: name,
                hue: colours[name],
                at: found.of[name] ?? whole,
                start: v => ({ strength: strengthWords(whole, { ...found.of, [name]: v }) }),
                tell: setOptions,
                undo: () => setOptions({ strength: strengthWords(whole, { ...found.of, [name]: whole }) }),
              }),
            ),
          ),
        )
      : null;
  return [rows, own];
}

function protectRows() {
  const found = shares(store.state.options.protect ?? "", 1).of;
  const tell = of => {
    const words = Object.entries(of)
      .map(([n, v]) => (v === 1 ? quoted(n) : `${quoted(n)}=${Number(v.toFixed(2))}`))
      .join(",");
    return { protect: words || null };
  };
  const rows = Object.entries(T.things).map(([name, label]) => {
    const on = found[name] !== undefined;
    const set = v => {
      const of = { ...found };
      if (v) of[name] = v;
      else delete of[name];
      return tell(of);
    };
    return h(
      "div",
      { class: "row" },
      h(
        "label",
        { class: "check" },
        h("input", {
          type: "checkbox",
          "data-key": `protect-${name}`,
          checked: on,
          onchange: e => setOptions(set(e.target.checked ? 1 : 0)),
        }),
        label,
      ),
      on
        ? h("input", {
            type: "range",
            class: "grow",
            min: 0.05,
            max: 1,
            step: 0.05,
            value: found[name],
            "data-key": `protect-${name}-share`,
            "aria-label": `${T.protect}: ${label}`,
            oninput: e => wish({ ...rendering(), ...set(Number(e.target.value)) }),
            onchange: e => setOptions(set(Number(e.target.value))),
          })
        : null,
    );
  });
  return h("div", { role: "group", "aria-label": T.protect }, h("h3", {}, T.protect), rows);
}

function presetSection() {
  const { presets, summaries } = store.options;
  return h(
    "section",
    {},
    h(
      "div",
      { class: "preset" },
      h("label", { for: "preset" }, h("h2", {}, T.preset)),
      h(
        "select",
        { id: "preset", "data-key": "preset", onchange: e => patch({ preset: e.target.value }) },
        Object.keys(presets).map(name =>
          h("option", { value: name, selected: name === store.state.preset }, name),
        ),
      ),
      h("p", { class: "small dim" }, `${sentence(summaries[store.state.preset])}.`),
    ),
  );
}

export function commandSection() {
  const words = store.state.command;
  if (!words) return null;
  return h(
    "section",
    {},
    h(
      "div",
      { class: "head" },
      h("h2", {}, T.command),
      h(
        "button",
        { type: "button", class: "bare small", "data-key": "copy", onclick: () => copy(words) },
        T.copy,
      ),
    ),
    h("code", { class: "command", tabindex: "0" }, words),
  );
}

async function copy(words) {
  try {
    await navigator.clipboard.writeText(words);
    toast(T.copied, false);
  } catch {
    toast(words, false);
  }
}

export function turnPage() {
  const [rows, own] = strengthSliders(),
    { options, usual } = store.options;
  const matter = usual.map(name => options.find(row => row.name === name)).filter(Boolean);
  return [
    h(
      "section",
      {},
      h("h2", {}, T.liveTitle),
      h("p", { class: "small dim" }, T.afterHelp),
      rows,
      single("luminance", T.luminance),
      single("color", T.color),
      own,
      protectRows(),
    ),
    presetSection(),
    h(
      "section",
      {},
      h(
        "div",
        { class: "head" },
        h("h2", {}, T.usual),
        h(
          "button",
          {
            type: "button",
            class: "bare small",
            "data-key": "reset-all",
            onclick: () => patch({ reset: true, options: {} }),
          },
          icon("reset"),
          T.resetAll,
        ),
      ),
      matter.map(field),
      allOptions(),
    ),
    commandSection(),
  ];
}
