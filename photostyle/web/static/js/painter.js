// Paints regions on a pane: the overlay, the tools under the pointer and the keys.
import { api } from "./api.js";
import { h } from "./dom.js";
import { asBox, emptyBox, flood, piecesUnder, stroke } from "./brush.js";
import { keepStroke, masks, regionList } from "./masks.js";
import { T } from "./strings.js";
import { attempt, emit, on, picture, setUi, store, toast } from "./store.js";

const MOST_OVERLAY = 12e6; // pixels of the overlay, beyond which it is drawn coarser
const pieces = {}; // superpixels by file

/** The superpixels of a picture, once they are asked for. */
async function piecesOf(role) {
  const file = picture(role)?.file;
  if (!file) return null;
  if (pieces[file] === undefined) {
    pieces[file] = null;
    const bytes = await attempt(() => api.bytes(`/pieces/${role}`), "pieces");
    if (bytes) pieces[file] = new Uint16Array(bytes.buffer);
    else delete pieces[file];
  }
  return pieces[file] ?? null;
}

export class Painter {
  constructor(pane, role) {
    this.pane = pane;
    this.role = role;
    this.canvas = document.createElement("canvas");
    this.ring = h("div", { class: "brush", hidden: true });
    this.at = null;
    this.cursor = null;
    this.ends = [
      on("labels", () => this.draw()),
      on("ui", c => {
        if ("overlay" in c || "active" in c) this.draw();
        this.placed();
        if (c.snap) piecesOf(this.role);
      }),
    ];
    if (store.ui.snap) piecesOf(role);
    this.pane.root.addEventListener("keydown", e => this.key(e));
  }

  close() {
    this.ends.forEach(end => end());
  }

  get held() {
    return this.pane.root.isConnected ? masks[this.role] : null;
  }

  layers([width, height]) {
    this.canvas.style.width = `${width}px`;
    this.canvas.style.height = `${height}px`;
    this.shown = [width, height];
    queueMicrotask(() => {
      this.pane.root.append(this.ring);
      this.draw();
    });
    return [{ node: this.canvas }];
  }

  /** Draws the overlay, or a box of it. */
  draw(box = null) {
    const held = masks[this.role];
    if (!held) {
      this.canvas.width = this.canvas.height = 1;
      return;
    }
    const [width, height] = held.size,
      step = Math.max(1, Math.ceil(Math.sqrt((width * height) / MOST_OVERLAY)));
    const w = Math.ceil(width / step),
      hh = Math.ceil(height / step);
    if (this.canvas.width !== w || this.canvas.height !== hh) {
      Object.assign(this.canvas, { width: w, height: hh });
      box = null;
    }
    const [x, y, bw, bh] = box
      ? [
          Math.floor(box[0] / step),
          Math.floor(box[1] / step),
          Math.ceil(box[2] / step) + 1,
          Math.ceil(box[3] / step) + 1,
        ]
      : [0, 0, w, hh];
    const right = Math.min(w, x + bw),
      bottom = Math.min(hh, y + bh);
    if (right <= x || bottom <= y) return;
    const image = new ImageData(right - x, bottom - y),
      out = new Uint32Array(image.data.buffer);
    const alpha = Math.round(store.ui.overlay * 255),
      colours = regionList().map(
        r => ((alpha << 24) | (r.colour[2] << 16) | (r.colour[1] << 8) | r.colour[0]) >>> 0,
      );
    for (let row = y, p = 0; row < bottom; row++) {
      const first = Math.min(height - 1, row * step) * width;
      for (let column = x; column < right; column++)
        out[p++] = colours[held.ids[first + Math.min(width - 1, column * step)]] ?? 0;
    }
    this.canvas.getContext("2d").putImageData(image, x, y);
  }

  placed() {
    const place = this.cursor;
    this.ring.hidden = !place || !this.held || store.ui.tool === "fill";
    if (this.ring.hidden) return;
    const scale = this.pane.scale(),
      radius = (store.ui.brush / 2) * scale;
    Object.assign(this.ring.style, {
      width: `${2 * radius}px`,
      height: `${2 * radius}px`,
      left: `${this.pane.left + place[0] * scale - radius}px`,
      top: `${this.pane.top + place[1] * scale - radius}px`,
    });
  }

  left() {
    if (!this.at) {
      this.cursor = null;
      this.placed();
    }
  }

  resize(direction) {
    setUi({
      brush: Math.max(
        1,
        Math.min(2000, Math.round(store.ui.brush * (direction > 0 ? 1.2 : 1 / 1.2) + direction)),
      ),
    });
  }

  pointer(kind, event) {
    this.cursor = this.pane.pixel(event);
    if (kind === "down" && event.button === 0) this.begin(this.cursor);
    else if (kind === "move" && this.at) {
      const all = event.getCoalescedEvents?.() || [];
      for (const e of all.length ? all : [event]) this.go(this.pane.pixel(e));
    } else if (kind === "up") this.end();
    else if (kind === "cancel") this.cancel();
    this.placed();
  }

  begin(place) {
    if (!this.held || !regionList().length) {
      toast(T.noRegions, false);
      return;
    }
    this.before = this.held.ids.slice();
    this.under = new Set();
    this.box = emptyBox();
    this.at = place;
    if (store.ui.tool === "fill") {
      this.fill(place);
      this.end();
      return;
    }
    this.go(place);
  }

  fill([x, y]) {
    const {
        ids,
        size: [width, height],
      } = this.held,
      column = Math.floor(x),
      row = Math.floor(y);
    if (column < 0 || row < 0 || column >= width || row >= height) return;
    const own = pieces[picture(this.role).file];
    if (store.ui.snap && own) {
      const piece = own[row * width + column];
      for (let i = 0; i < ids.length; i++) if (own[i] === piece) ids[i] = store.ui.active;
      this.box = [0, 0, width - 1, height - 1];
    } else flood(ids, [width, height], column, row, store.ui.active, this.box);
  }

  go(place) {
    const held = this.held,
      own = store.ui.snap ? pieces[picture(this.role).file] : null,
      box = emptyBox();
    const erases = store.ui.tool === "eraser",
      most = regionList().length - 1;
    const active = Math.min(store.ui.active, most),
      value = i => (erases ? Math.min(held.base[i], most) : active);
    let radius = store.ui.brush / 2,
      write = value;
    if (own) {
      // what lies along the middle of the stroke, so far out as the brush reaches
      const steps = Math.ceil(Math.hypot(place[0] - this.at[0], place[1] - this.at[1])) || 1;
      for (let k = 0; k <= steps; k++) {
        const [x, y] = [0, 1].map(c => this.at[c] + ((place[c] - this.at[c]) * k) / steps);
        for (const piece of piecesUnder(own, held.size, x, y, radius / 4)) this.under.add(piece);
      }
      write = i => (this.under.has(own[i]) ? value(i) : -1);
      radius *= 1.6;
    }
    stroke(held.ids, held.size, this.at, place, radius, write, box);
    this.at = place;
    const found = asBox(box);
    if (!found) return;
    this.box = [
      Math.min(this.box[0], box[0]),
      Math.min(this.box[1], box[1]),
      Math.max(this.box[2], box[2]),
      Math.max(this.box[3], box[3]),
    ];
    this.draw(found);
  }

  end() {
    if (!this.at) return;
    this.at = null;
    const box = asBox(this.box);
    if (box) keepStroke(this.role, this.before, box);
    this.before = null;
    emit("stroke", this.role);
  }

  cancel() {
    if (!this.at || !this.before) return;
    this.held.ids.set(this.before);
    this.at = this.before = null;
    this.draw();
  }

  /** The arrows move a cursor, Space paints at it. */
  key(event) {
    const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!this.held || (!step && event.key !== " ")) return;
    event.preventDefault();
    event.stopPropagation();
    const [width, height] = this.held.size;
    this.cursor ??= [width / 2, height / 2];
    const far = Math.max(1, store.ui.brush / (event.shiftKey ? 8 : 2));
    if (step)
      this.cursor = [
        Math.max(0, Math.min(width, this.cursor[0] + step[0] * far)),
        Math.max(0, Math.min(height, this.cursor[1] + step[1] * far)),
      ];
    else {
      this.begin(this.cursor);
      this.end();
    }
    this.placed();
  }
}
