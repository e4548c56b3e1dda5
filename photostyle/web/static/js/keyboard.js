// Keys for everything that is done often.
import { h } from "./dom.js";
import { T } from "./strings.js";
import { redo, undo } from "./masks.js";
import { fit, oneToOne, zoomBy } from "./pane.js";
import { post, setUi, store } from "./store.js";
import { show } from "./panel.js";
import { focusedPainter, move } from "./stage.js";
import { pickTool, toggleSnap } from "./regions.js";

let dialog = null;

export function help() {
  if (!dialog) {
    dialog = h(
      "dialog",
      { "aria-label": T.keysTitle },
      h(
        "div",
        { class: "stack" },
        h("h2", {}, T.keysTitle),
        h(
          "div",
          { class: "keys" },
          T.keys.map(([key, what]) => [h("kbd", {}, key), h("span", {}, what)]),
        ),
        h("button", { type: "button", onclick: () => dialog.close() }, T.close),
      ),
    );
    document.body.append(dialog);
  }
  dialog.showModal();
}

const resize = by => {
  const painter = focusedPainter();
  if (painter) painter.resize(by);
};
const mode = name => () => setUi({ mode: name });
const KEYS = {
  1: mode("split"),
  2: mode("side"),
  3: mode("result"),
  4: mode("original"),
  "+": () => zoomBy(1.25),
  "=": () => zoomBy(1.25),
  "-": () => zoomBy(0.8),
  0: fit,
  9: oneToOne,
  h: () => setUi({ heat: store.ui.heat === "stains" ? "off" : "stains" }),
  p: () => show("pictures"),
  a: () => show("turn"),
  r: () => show("regions"),
  s: () => show("keep"),
  b: () => pickTool("brush"),
  e: () => pickTool("eraser"),
  f: () => pickTool("fill"),
  n: toggleSnap,
  "[": () => resize(-1),
  "]": () => resize(1),
  "?": help,
  ArrowLeft: () => move(-0.05, 0),
  ArrowRight: () => move(0.05, 0),
  ArrowUp: () => move(0, -0.05),
  ArrowDown: () => move(0, 0.05),
  Escape: () => {
    if (store.progress?.n) post("/do/stop");
  },
};

const types = target =>
  target.closest(
    "input:not([type=range]):not([type=checkbox]):not([type=color]), select, textarea, dialog[open]",
  );
const moves = target => target.closest("input[type=range], [role=tab], [role=slider]");

export function beginKeyboard() {
  addEventListener("keydown", event => {
    if (types(event.target) || event.defaultPrevented) return;
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "z") {
      event.preventDefault();
      (event.shiftKey ? redo : undo)();
      return;
    }
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "y") {
      event.preventDefault();
      redo();
      return;
    }
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (
      event.key.startsWith("Arrow") &&
      (moves(event.target) || event.target === document.body || event.target.closest("#panel, #foot"))
    )
      return;
    if (event.key === "o" && !event.repeat) {
      setUi({ held: true });
      return;
    }
    const work = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (work) {
      event.preventDefault();
      work();
    }
  });
  addEventListener("keyup", event => {
    if (event.key === "o" && store.ui.held) setUi({ held: false });
  });
  addEventListener("blur", () => {
    if (store.ui.held) setUi({ held: false });
  });
}
