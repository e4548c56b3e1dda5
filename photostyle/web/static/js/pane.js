// A pane shows layers of one picture through the common camera: zoom, pan, touch, wheel and keys.
import { h, clamp } from "./dom.js";

/** Where all panes look: the middle in shares of the picture, and the zoom as a multiple of “fit”. */
export const camera = { x: 0.5, y: 0.5, zoom: 1 };
const panes = new Set();
let moved = () => {};
export const onMove = work => {
  moved = work;
};

export function look(change) {
  Object.assign(camera, change);
  const most = Math.max(1, ...[...panes].map(p => p.mostZoom()));
  camera.zoom = clamp(camera.zoom, 0.25, most);
  camera.x = clamp(camera.x, 0, 1);
  camera.y = clamp(camera.y, 0, 1);
  for (const pane of panes) pane.place();
  moved();
}

export class Pane {
  /** @param label: what screen readers say of it. */
  constructor(label) {
    this.size = [1, 1];
    this.view = [1, 1];
    this.layers = [];
    this.painter = null;
    this.pointers = new Map();
    this.root = h("div", { class: "pane", tabindex: "0", role: "img", "aria-label": label });
    this.root.addEventListener("wheel", e => this.wheel(e), { passive: false });
    for (const kind of ["down", "move", "up", "cancel", "leave"])
      this.root.addEventListener(`pointer${kind}`, e => this.pointer(kind, e));
    this.watcher = new ResizeObserver(() => look({}));
    this.watcher.observe(this.root);
    panes.add(this);
  }

  remove() {
    panes.delete(this);
    this.painter?.close();
    this.watcher.disconnect();
    this.root.remove();
  }

  /** @param size: the picture's own; view: that of the canvases. layers: nodes, and whether the divider cuts them. */
  show(size, view, layers, tags = []) {
    this.size = size;
    this.view = view;
    this.layers = layers.map(({ node, cut, world = h("div", { class: "world" }) }) => {
      world.replaceChildren(node);
      return { world, cut, box: h("div", { class: "layer" }, world) };
    });
    this.root.replaceChildren(...this.layers.map(l => l.box), ...tags);
    this.place();
  }

  fitZoom() {
    const { clientWidth: w, clientHeight: height } = this.root;
    const room = 24;
    return Math.max(0.001, Math.min((w - room) / this.size[0], (height - room) / this.size[1]));
  }

  mostZoom() {
    return 32 / devicePixelRatio / this.fitZoom();
  }

  /** Screen pixels for a pixel of the picture. */
  scale() {
    return this.fitZoom() * camera.zoom;
  }

  place() {
    const scale = this.scale(),
      [width, height] = this.size;
    this.left = this.root.clientWidth / 2 - camera.x * width * scale;
    this.top = this.root.clientHeight / 2 - camera.y * height * scale;
    for (const { world } of this.layers) {
      world.style.transform = `translate(${this.left}px, ${this.top}px) scale(${(scale * width) / this.view[0]})`;
      world.classList.toggle("close", scale * devicePixelRatio > 2);
    }
    this.painter?.placed();
  }

  /** Where the divider cuts, as a share of the picture's width on the screen. */
  cut(share) {
    const x = this.left + share * this.size[0] * this.scale();
    for (const { box, cut } of this.layers)
      box.style.clipPath = cut ? `inset(0 0 0 ${clamp(x, 0, this.root.clientWidth)}px)` : "";
    return x;
  }

  /** The picture's pixel under a place on the screen. */
  pixel(event) {
    const box = this.root.getBoundingClientRect(),
      scale = this.scale();
    return [(event.clientX - box.left - this.left) / scale, (event.clientY - box.top - this.top) / scale];
  }

  wheel(event) {
    event.preventDefault();
    if (event.shiftKey && this.painter) {
      this.painter.resize(event.deltaY + event.deltaX < 0 ? 1 : -1);
      return;
    }
    const factor = Math.exp(-clamp(event.deltaY, -120, 120) * (event.ctrlKey ? 0.01 : 0.003));
    this.zoomAt(event, factor);
  }

  zoomAt(place, factor) {
    const [px, py] = this.pixel(place),
      before = camera.zoom;
    const zoom = clamp(before * factor, 0.25, this.mostZoom()),
      ratio = before / zoom;
    const x = px / this.size[0],
      y = py / this.size[1];
    look({ zoom, x: x + (camera.x - x) * ratio, y: y + (camera.y - y) * ratio });
  }

  pointer(kind, event) {
    const paints =
      this.painter && event.button !== 1 && !(event.pointerType === "touch" && this.pointers.size > 1);
    if (kind === "leave") {
      this.painter?.left();
      return;
    }
    if (kind === "down") {
      this.root.setPointerCapture(event.pointerId);
      this.root.focus({ preventScroll: true });
      if (event.button === 1) event.preventDefault();
    }
    const before = this.pointers.get(event.pointerId);
    if (kind === "down" || (kind === "move" && before))
      this.pointers.set(event.pointerId, {
        x: event.clientX,
        y: event.clientY,
        middle: before?.middle ?? event.button === 1,
      });
    if (this.pointers.size === 2 && kind === "move" && before) {
      this.painter?.cancel();
      this.pinch(event, before);
      return;
    }
    if (paints && !before?.middle) this.painter.pointer(kind, event);
    else if (kind === "move" && before) this.pan(event.clientX - before.x, event.clientY - before.y);
    if (kind === "up" || kind === "cancel") this.pointers.delete(event.pointerId);
  }

  pan(dx, dy) {
    const scale = this.scale();
    look({ x: camera.x - dx / scale / this.size[0], y: camera.y - dy / scale / this.size[1] });
  }

  pinch(event, before) {
    const other = [...this.pointers.entries()].find(([id]) => id !== event.pointerId)[1];
    const apart = (a, b) => Math.hypot(a.x - b.x, a.y - b.y),
      now = { x: event.clientX, y: event.clientY };
    const middle = { clientX: (now.x + other.x) / 2, clientY: (now.y + other.y) / 2 };
    this.zoomAt(middle, apart(now, other) / Math.max(1, apart(before, other)));
    this.pan((now.x - before.x) / 2, (now.y - before.y) / 2);
  }
}

export function zoomBy(factor) {
  look({ zoom: camera.zoom * factor });
}
export function fit() {
  look({ zoom: 1, x: 0.5, y: 0.5 });
}
export function oneToOne() {
  const [pane] = panes;
  if (pane) look({ zoom: 1 / devicePixelRatio / pane.fitZoom() });
}
export function percent() {
  const [pane] = panes;
  return pane ? Math.round(pane.scale() * devicePixelRatio * 100) : 100;
}
