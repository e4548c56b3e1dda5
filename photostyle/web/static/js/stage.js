// The stage: start screen or panes, the tools above them, and the divider.
import { h, refill, icon, iconButton, clamp, later } from "./dom.js";
import { T } from "./strings.js";
import { camera, fit, look, oneToOne, onMove, Pane, percent, zoomBy } from "./pane.js";
import { pictures, closeUp, hasResult, heat } from "./result.js";
import { attempt, on, picture, setUi, shown, store } from "./store.js";
import { startScreen } from "./start.js";
import { Painter } from "./painter.js";

const stage = document.getElementById("stage");
const tools = h("div", { class: "tools", role: "toolbar", "aria-label": T.modesLabel });
const box = h("div", { class: "panes" });
let panes = [],
  layout = "",
  divider = null,
  close = {},
  heatNode = null;

const tag = (text, right) => h("span", { class: right ? "tag right" : "tag" }, text);
const ownSize = role => picture(role)?.size || [1, 1];
const viewOf = node => [node.width, node.height];

/** The node of a picture: its canvas, or its full size where one looks closely. */
function node(which) {
  const small = pictures[which],
    image = close[which];
  if (!image) return small;
  image.width = small.width;
  image.height = small.height;
  return image;
}

function mode() {
  if (store.ui.tab === "regions") return "regions";
  return hasResult() ? store.ui.mode : "original";
}

function layoutPanes() {
  const wanted = store.ui.held && mode() !== "regions" ? "original" : mode();
  const labels = {
    split: [T.stageLabel],
    side: [T.before, T.after],
    result: [T.after],
    original: [T.before],
    regions: [T.content, T.style, T.after],
  }[wanted];
  const key = labels.join("|") + (wanted === "regions" ? "r" : "");
  const scale = camera.zoom !== 1 && panes.length ? panes[0].scale() : 0,
    fresh = key !== layout;
  if (fresh) {
    panes.forEach(p => p.remove());
    panes = labels.map(label => new Pane(label));
    box.classList.toggle("three", wanted === "regions");
    if (wanted === "regions")
      panes.slice(0, 2).forEach((pane, i) => {
        pane.painter = new Painter(pane, ["content", "style"][i]);
        pane.root.classList.add("paints");
      });
    box.replaceChildren(...panes.map(p => p.root));
    layout = key;
  }
  fillPanes(wanted);
  if (fresh && scale) look({ zoom: scale / panes[0].fitZoom() }); // as large as it was seen before
}

function fillPanes(wanted) {
  const size = ownSize("content"),
    view = viewOf(pictures.content);
  const over = heatNode && store.ui.heat !== "off" ? [{ node: heatNode, cut: wanted === "split" }] : [];
  const legend = over.length ? [h("span", { class: "tag low" }, T.heatLegend[store.ui.heat])] : [];
  divider?.remove();
  divider = null;
  if (wanted === "regions") {
    panes[2].show(size, view, hasResult() ? [{ node: pictures.result }] : [{ node: pictures.ghost }], [
      tag(hasResult() ? T.after : T.noResult),
    ]);
    panes.slice(0, 2).forEach((pane, i) => {
      const role = ["content", "style"][i],
        canvas = pictures[role];
      pane.show(
        ownSize(role),
        viewOf(canvas),
        [{ node: canvas }, ...pane.painter.layers(viewOf(canvas))],
        [tag([T.content, T.style][i])],
      );
    });
  } else if (wanted === "split") {
    panes[0].show(
      size,
      view,
      [{ node: node("content") }, { node: node("result"), cut: true }, ...over],
      [tag(T.before), tag(T.after, true), ...legend],
    );
    divider = dividerButton();
    box.append(divider);
  } else if (wanted === "side") {
    panes[0].show(size, view, [{ node: node("content") }], [tag(T.before)]);
    panes[1].show(size, view, [{ node: node("result") }, ...over], [tag(T.after), ...legend]);
  } else {
    panes[0].show(
      size,
      view,
      [{ node: node(wanted === "original" ? "content" : "result") }, ...(wanted === "result" ? over : [])],
      wanted === "original" ? [tag(T.before)] : [tag(T.after), ...legend],
    );
  }
  placeDivider();
}

function dividerButton() {
  const set = x => {
    setUi({ split: clamp(x, 0, 1) });
  };
  const button = h("button", {
    type: "button",
    class: "divider",
    role: "slider",
    "aria-label": T.divider,
    "aria-valuemin": 0,
    "aria-valuemax": 100,
    onkeydown: e => {
      const step = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -1, End: 1 }[e.key];
      if (step) {
        e.preventDefault();
        e.stopPropagation();
        set(store.ui.split + step);
      }
    },
    onpointerdown: e => button.setPointerCapture(e.pointerId),
    onpointermove: e => {
      if (button.hasPointerCapture(e.pointerId)) set(panes[0].pixel(e)[0] / panes[0].size[0]);
    },
  });
  return button;
}

function placeDivider() {
  if (!divider) {
    panes.forEach(p => p.cut(0));
    return;
  }
  const x = panes[0].cut(store.ui.split);
  divider.style.left = `${clamp(x, 0, panes[0].root.clientWidth)}px`;
  divider.setAttribute("aria-valuenow", Math.round(store.ui.split * 100));
}

/** Beyond the view's pixels the pictures come at full size. */
const lookClosely = later(350, async () => {
  const pane = panes[0],
    needed = pane && pane.scale() * devicePixelRatio * pane.size[0] > pane.view[0] * 1.02;
  if (!needed || close.content || mode() === "regions" || pane.size[0] <= pane.view[0]) return;
  const source = pictures.source,
    file = pictures.file;
  await attempt(async () => {
    const found = await closeUp();
    if (source !== pictures.source || file !== pictures.file) return;
    const images = Object.entries(found)
      .filter(([, url]) => url)
      .map(([k, url]) => [k, Object.assign(new Image(), { src: url, alt: "" })]);
    await Promise.all(images.map(([, image]) => image.decode()));
    if (source === pictures.source && file === pictures.file) {
      close = Object.fromEntries(images);
      layoutPanes();
    }
  });
});

function forgetClose() {
  if (close.result?.src.startsWith("blob:")) URL.revokeObjectURL(close.result.src);
  close = {};
}

async function readHeat() {
  const kind = store.ui.heat;
  if (kind === "off" || !shown()) {
    heatNode = null;
    layoutPanes();
    return;
  }
  const bitmap = await attempt(() => heat(kind), "heat");
  if (!bitmap || store.ui.heat !== kind) return;
  heatNode = Object.assign(document.createElement("canvas"), { width: bitmap.width, height: bitmap.height });
  heatNode.getContext("2d").drawImage(bitmap, 0, 0);
  layoutPanes();
}

/** Shows the original for as long as it is pressed, by hand or by key. */
function holdButton() {
  const hold = held => {
    if (store.ui.held !== held) setUi({ held });
  };
  const press = held => e => {
    if (![" ", "Enter"].includes(e.key)) return;
    e.preventDefault();
    hold(held);
  };
  return h(
    "button",
    {
      type: "button",
      "data-key": "hold",
      class: "hold",
      title: T.hold,
      "aria-label": T.hold,
      disabled: !hasResult(),
      "aria-pressed": String(store.ui.held),
      onpointerdown: () => hold(true),
      onpointerup: () => hold(false),
      onpointerleave: () => hold(false),
      onpointercancel: () => hold(false),
      oncontextmenu: e => e.preventDefault(),
      onkeydown: press(true),
      onkeyup: press(false),
    },
    icon("eye"),
    h("span", { class: "wide" }, T.hold),
  );
}

function drawTools() {
  const modes = Object.entries(T.modes).map(([name, text]) =>
    h(
      "button",
      {
        type: "button",
        "data-key": `mode-${name}`,
        "aria-pressed": String(mode() === name),
        disabled: !hasResult() && name !== "original",
        onclick: () => setUi({ mode: name }),
      },
      text,
    ),
  );
  const maps = h(
    "select",
    {
      "aria-label": T.heatLabel,
      "data-key": "heat",
      class: "pick",
      style: { width: "auto" },
      disabled: !shown(),
      onchange: e => setUi({ heat: e.target.value }),
    },
    Object.entries(T.heat).map(([value, text]) =>
      h("option", { value, selected: store.ui.heat === value }, text),
    ),
  );
  const regions = store.ui.tab === "regions";
  refill(
    tools,
    regions ? null : h("div", { class: "group", role: "group", "aria-label": T.modesLabel }, modes),
    regions ? null : holdButton(),
    regions ? null : maps,
    h(
      "span",
      { class: "grow small dim note", role: "status" },
      store.busy.has("heat") || store.busy.has("pieces") ? T.working : "",
    ),
    iconButton("minus", T.zoomOut, () => zoomBy(0.8), { "data-key": "out" }),
    h("output", { class: "num dim small zoomed" }, T.zoom(percent())),
    iconButton("plus", T.zoomIn, () => zoomBy(1.25), { "data-key": "in" }),
    h("button", { type: "button", "data-key": "fit", onclick: fit }, T.fit),
    h("button", { type: "button", "data-key": "one", onclick: oneToOne }, T.one),
  );
}

export function drawStage() {
  const started = store.state?.chosen.content && store.state.chosen.style;
  document.body.classList.toggle("starting", !started);
  if (!started) {
    layout = "";
    panes.forEach(p => p.remove());
    panes = [];
    divider = null;
    refill(stage, startScreen());
    return;
  }
  if (tools.parentNode !== stage) refill(stage, tools, box);
  drawTools();
  layoutPanes();
}

export const focusedPainter = () =>
  (panes.find(p => p.root.contains(document.activeElement)) || panes[0])?.painter || null;
export const move = (dx, dy) => look({ x: camera.x + dx / camera.zoom, y: camera.y + dy / camera.zoom });

export function beginStage() {
  let file = null;
  onMove(() => {
    placeDivider();
    const z = tools.querySelector(".zoomed");
    if (z) z.textContent = T.zoom(percent());
    lookClosely();
  });
  on("state", () => {
    if (pictures.file !== file) {
      file = pictures.file;
      fit();
    }
    drawStage();
  });
  on("pictures", () => {
    forgetClose();
    heatNode = null;
    drawStage();
  });
  on("result", () => {
    forgetClose();
    heatNode = null;
    drawStage();
    if (store.ui.heat !== "off") readHeat();
    lookClosely();
  });
  on("painted", () => {
    if (close.result) {
      forgetClose();
      layoutPanes();
      lookClosely();
    }
  });
  on("busy", () => {
    if (tools.parentNode) drawTools();
  });
  on("ui", change => {
    if ("heat" in change) readHeat();
    if ("split" in change) placeDivider();
    if ("tab" in change || "mode" in change || "heat" in change) drawStage();
    else if ("held" in change && panes.length) {
      // the button itself stays, as the hand is on it
      tools.querySelector("[data-key=hold]")?.setAttribute("aria-pressed", String(change.held));
      layoutPanes();
    }
  });
}
