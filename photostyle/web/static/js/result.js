// What the panes show: the content, and the result under the options chosen, at once and then exactly.
import { api } from "./api.js";
import { later, framed } from "./dom.js";
import { compute, plan } from "./live.js";
import { emit, on, picture, shown, store, fileUrl } from "./store.js";

const LIVE = ["strength", "luminance", "color", "protect"];
const THINGS = ["skin", "neutrals", "sky"];

const canvas = () => Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
export const pictures = {
  content: canvas(),
  style: canvas(),
  result: canvas(),
  ghost: canvas(),
  file: null,
  styleFile: null,
  source: null,
};
let own = null,
  base = null,
  planes = {},
  regions = null,
  names = [],
  turn = 0;

const pixels = node =>
  node.getContext("2d", { willReadFrequently: true }).getImageData(0, 0, node.width, node.height);

function draw(node, bitmap, [width, height] = [bitmap.width, bitmap.height]) {
  if (node.width !== width || node.height !== height) Object.assign(node, { width, height });
  const context = node.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  bitmap.close?.();
}

export function rendering() {
  return Object.fromEntries(
    LIVE.filter(n => store.state.options[n] !== undefined).map(n => [n, store.state.options[n]]),
  );
}
let wanted = null; // what a slider says before the server has heard of it
export const wish = options => {
  wanted = options;
  paint();
};
const options = () => ({ ...rendering(), ...(wanted || {}) });

/** Reads content and style where they have changed. */
async function readPictures() {
  const content = picture("content"),
    style = picture("style");
  if (style && style.file !== pictures.styleFile) {
    pictures.styleFile = style.file;
    api
      .picture(`/files/${style.file}/view`)
      .then(b => {
        draw(pictures.style, b);
        emit("pictures");
      })
      .catch(() => {});
  }
  if (!content || content.file === pictures.file) return;
  pictures.file = content.file;
  own = base = regions = null;
  planes = {};
  pictures.source = null;
  const bitmap = await api.picture(`/files/${content.file}/view`);
  if (pictures.file !== content.file) return;
  draw(pictures.content, bitmap);
  own = pixels(pictures.content);
  emit("pictures");
}

/** Reads the result that is shown, once it is another one. */
async function readShown() {
  const entry = shown(),
    source = entry ? `r${entry.n}` : null;
  if (
    !entry ||
    !own ||
    store.progress?.version ||
    source === pictures.source ||
    entry.content !== pictures.file
  )
    return;
  pictures.source = source;
  const asked = ++turn;
  const [view, index] = await Promise.all([
    api.picture(`/results/${entry.n}/view`),
    entry.names.length > 1 ? api.picture(`/results/${entry.n}/regions`) : null,
  ]);
  if (asked !== turn) return;
  names = entry.names;
  regions = index ? indexOf(index) : null;
  takeResult(view);
}

function indexOf(bitmap) {
  const node = canvas();
  draw(node, bitmap);
  const data = pixels(node).data,
    found = new Uint8Array(data.length / 4);
  for (let i = 0; i < found.length; i++) found[i] = data[4 * i];
  return found;
}

function takeResult(bitmap) {
  const node = canvas();
  draw(node, bitmap, [own.width, own.height]);
  base = pixels(node).data;
  emit("result");
  paint();
}

/** A picture of a solve under way. */
export async function takePreview(version, key = "preview") {
  if (!own) return;
  pictures.source = `p${version}`;
  const asked = ++turn;
  const bitmap = await api.picture(`/preview/${key}?v=${version}`).catch(() => null);
  if (!bitmap || asked !== turn) return;
  regions = null;
  names = [];
  takeResult(bitmap);
}

function needPlanes(things) {
  for (const name of Object.keys(things)) {
    if (planes[name] !== undefined || !THINGS.includes(name)) continue;
    planes[name] = null;
    const file = pictures.file;
    api
      .picture(`/protected/${file}/${name}`)
      .then(bitmap => {
        if (pictures.file === file) {
          planes[name] = indexOf(bitmap);
          paint();
        }
      })
      .catch(() => {
        delete planes[name];
      });
  }
}

export const paint = framed(() => {
  if (!own || !base) return;
  const chosen = plan(options(), names),
    out = new ImageData(own.width, own.height);
  needPlanes(chosen.things);
  compute(own.data, base, regions, planes, chosen, out.data);
  if (pictures.result.width !== own.width || pictures.result.height !== own.height)
    Object.assign(pictures.result, { width: own.width, height: own.height });
  pictures.result.getContext("2d", { willReadFrequently: true }).putImageData(out, 0, 0);
  pictures.painted = performance.now();
  emit("painted");
  if (pictures.source?.startsWith("r")) exactly();
});

/** After a while, the picture as the server delivers it, which is what is saved. */
const exactly = later(500, async () => {
  const entry = shown(),
    source = pictures.source,
    chosen = options();
  if (!entry || source !== `r${entry.n}` || !Object.keys(chosen).length) return;
  const bitmap = await api.picture(`/results/${entry.n}/view`, { options: chosen }).catch(() => null);
  if (!bitmap || pictures.source !== source || JSON.stringify(chosen) !== JSON.stringify(options())) return;
  draw(pictures.result, bitmap, [own.width, own.height]);
  emit("exact");
});

export const hasResult = () => !!base && !!pictures.source;

/** Full-size pictures, for looking closely: addresses of the content and the result. */
export async function closeUp() {
  const entry = shown(),
    content = picture("content");
  const result =
    entry && pictures.source === `r${entry.n}`
      ? URL.createObjectURL(await api.blob(`/results/${entry.n}/close`, { options: options() }))
      : null;
  return { content: fileUrl(content.file, "full"), result };
}

export async function heat(kind) {
  const entry = shown();
  return entry ? api.picture(`/results/${entry.n}/${kind}`, { options: options() }) : null;
}

on("state", async before => {
  if (wanted && JSON.stringify(before?.options) !== JSON.stringify(store.state.options)) wanted = null;
  try {
    await readPictures();
    await readShown();
  } catch {
    /* said by whoever asked */
  }
  if (before && JSON.stringify(before.options) !== JSON.stringify(store.state.options)) paint();
});

let cleaned = 0; // the solve of which a cleaned picture has come: its raw ones are smaller than that
on("picture", event => {
  if (event.kind !== "step") cleaned = event.n;
  else if (cleaned === event.n) return;
  takePreview(event.version);
});
