// Under the stage: what goes on, with time left, and the strip of results of this session.
import { api } from "./api.js";
import { captionOf, numberOf, timeOf } from "./captions.js";
import { h, icon, refill } from "./dom.js";
import { T } from "./strings.js";
import { on, patch, post, store } from "./store.js";

const foot = document.getElementById("foot");
const line = h("div", { class: "progress", role: "status" });
const strip = h("div", { class: "strip", role: "group", "aria-label": T.strip });

function words(p) {
  const rung = T.rungs[p.rung] || p.rung || "",
    stage = T.stages[p.stage] || (p.kind === "step" ? T.stages.optimise : p.stage) || "";
  return [rung, stage].filter(Boolean).join(" · ");
}

/** The numbers of a solve, for whoever hovers. */
function terms(p) {
  return Object.entries(p.terms || {})
    .map(([name, value]) => `${name} ${Number(value).toPrecision(3)}`)
    .join("  ");
}

function drawLine() {
  const p = store.progress;
  if (!store.connected) {
    refill(line, h("span", { class: "bad" }, T.lost));
    return;
  }
  if (!p || !p.n) {
    const entry = store.state?.strip.find(e => e.n === store.state.shown);
    refill(
      line,
      h("span", { class: "dim grow" }, entry ? `${T.ready} · ${said(entry)}` : T.idle),
      h(
        "label",
        { class: "check small" },
        h("input", {
          type: "checkbox",
          checked: store.state?.live ?? true,
          "data-key": "live",
          onchange: e => patch({ live: e.target.checked }),
        }),
        T.live,
      ),
      h("button", { type: "button", "data-key": "run", onclick: () => post("/do/solve") }, T.run),
    );
    return;
  }
  const bar = h(
    "progress",
    p.total ? { max: p.total, value: p.done, "aria-label": words(p) } : { "aria-label": words(p) },
  );
  refill(
    line,
    p.kind === "step" && p.version
      ? h("img", { class: "raw", src: api.at(`/preview/preview?v=${p.version}`), alt: "" })
      : null,
    bar,
    h("strong", { title: p.kind === "step" ? terms(p) : null }, words(p)),
    h("span", { class: "dim num" }, p.kind === "step" ? T.left(p.left) : ""),
    h("span", { class: "note dim grow small", title: p.note || "" }, p.kind === "step" ? "" : p.note || ""),
    h(
      "button",
      { type: "button", "data-key": "stop", title: T.stop, onclick: () => post("/do/stop") },
      icon("stop"),
      T.stopShort,
    ),
  );
}

function drawStrip() {
  const entries = [...(store.state?.strip || [])].reverse();
  if (!entries.length) {
    refill(strip, h("p", { class: "dim small" }, T.stripEmpty));
    return;
  }
  refill(
    strip,
    entries.map(entry =>
      h(
        "button",
        {
          type: "button",
          "data-key": `strip-${entry.n}`,
          "aria-pressed": String(entry.n === store.state.shown),
          "aria-label": said(entry),
          title: changes(entry),
          onclick: () => goBack(entry),
        },
        h("img", { src: api.at(`/results/${entry.n}/thumb`), alt: "" }),
        h("span", {}, `${numberOf(entry)} · ${captionOf(entry)}`),
        h("span", { class: "dim" }, timeOf(entry)),
      ),
    ),
  );
}

const said = entry => T.stripItem(numberOf(entry), captionOf(entry));

const changes = entry =>
  [
    said(entry),
    entry.preset,
    ...Object.entries(entry.options).map(([k, v]) => `${k.replaceAll("_", " ")} ${v}`),
    entry.drawn ? T.drawn : "",
  ]
    .filter(Boolean)
    .join("\n");

/** Goes back to a result with its settings and regions; what is chosen after a solve stays as it is. */
const goBack = entry => post(`/results/${entry.n}/back`);

export function drawFoot() {
  const started = store.state?.chosen.content && store.state.chosen.style;
  if (!started) {
    foot.replaceChildren();
    return;
  }
  if (!line.parentNode) foot.append(line, strip);
  drawLine();
  drawStrip();
}

export function beginFoot() {
  on("state", drawFoot);
  on("progress", drawLine);
  on("picture", drawLine);
  on("busy", drawLine);
}
