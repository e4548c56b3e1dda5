// The regions of both pictures as they are being painted: an index for every pixel, with undo.
import { api } from "./api.js";
import { later } from "./dom.js";
import { attempt, emit, on, picture, regions, store } from "./store.js";

const ROLES = ["content", "style"];
/** By role: ids at the picture's own size, those before painting, and the file that they are. */
export const masks = { content: null, style: null };
let list = []; // names and colours, as they are here
const done = [],
  undone = [];
const MOST_STEPS = 200,
  MOST_BYTES = 256 << 20;

export const regionList = () => list;
export const canUndo = () => done.length > 0;
export const canRedo = () => undone.length > 0;

/** Reads what the server has, where it is not what was painted here; undo brings back what was. */
async function read() {
  const held = store.state.regions;
  if (!held) {
    masks.content = masks.style = null;
    list = [];
    done.length = undone.length = 0;
    emit("labels");
    return;
  }
  if (sending || dirty.size) return;
  const found = {};
  for (const role of ROLES) {
    const file = held[role]?.file,
      of = picture(role)?.file,
      size = picture(role)?.size;
    if (!size || masks[role]?.file === (file ?? `blank-${of}`)) continue;
    const ids = file ? await api.bytes(`/labels/${role}`) : new Uint8Array(size[0] * size[1]);
    if (ids.length === size[0] * size[1])
      found[role] = { file: file ?? `blank-${of}`, of, size, ids, base: ids.slice(), blank: !file };
  }
  if (!sending && !dirty.size && held === store.state.regions) take(found);
}

/** Puts what was read in the place of what was here, all at once and as one step to undo. */
function take(found) {
  const listBefore = copyList(),
    before = { ...masks };
  list = regions().map(r => ({ ...r }));
  Object.assign(masks, found);
  const roles = Object.keys(found),
    same = roles.every(role => before[role]?.of === found[role].of);
  const patches = roles.map(role => ({
    role,
    box: [0, 0, ...found[role].size],
    before: before[role]?.ids,
    after: found[role].ids.slice(),
  }));
  if (!same) done.length = undone.length = 0;
  else if (roles.length) keep({ patches, listBefore, listAfter: copyList() });
  emit("labels");
}

const copyList = () => list.map(r => ({ ...r, colour: [...r.colour] }));

function cut(ids, width, box) {
  const [x, y, w, h] = box,
    part = new Uint8Array(w * h);
  for (let row = 0; row < h; row++)
    part.set(ids.subarray((y + row) * width + x, (y + row) * width + x + w), row * w);
  return part;
}

function paste(ids, width, box, part) {
  const [x, y, w, h] = box;
  for (let row = 0; row < h; row++) ids.set(part.subarray(row * w, (row + 1) * w), (y + row) * width + x);
}

/** Keeps a step: what was painted in a box of a role, from the ids before. */
export function keepStroke(role, before, box) {
  const { ids, size } = masks[role];
  remember({ patches: [{ role, box, before: cut(before, size[0], box), after: cut(ids, size[0], box) }] });
}

/** Does something to the list and to whole masks, as one step. */
export function change(work) {
  const before = copyList(),
    held = Object.fromEntries(ROLES.filter(r => masks[r]).map(r => [r, masks[r].ids.slice()])),
    basesBefore = bases();
  work(list);
  const patches = Object.entries(held)
    .filter(([role, ids]) => ids.some((v, i) => v !== masks[role].ids[i]))
    .map(([role, ids]) => {
      const box = [0, 0, ...masks[role].size];
      return { role, box, before: ids, after: masks[role].ids.slice() };
    });
  remember(
    { patches, listBefore: before, listAfter: copyList(), basesBefore, basesAfter: bases() },
    ROLES,
  );
}

const bases = () => ROLES.map(role => masks[role]?.base);
/** What the eraser brings back, as it is before or after a step. */
const putBases = found => ROLES.forEach((role, k) => found[k] && masks[role] && (masks[role].base = found[k]));

export const setList = wanted => {
  list = wanted;
};

function remember(step, roles = step.patches.map(p => p.role)) {
  keep(step);
  touched(roles);
}

function keep(step) {
  done.push(step);
  undone.length = 0;
  const bytes = () =>
    done.reduce((sum, s) => sum + s.patches.reduce((n, p) => n + 2 * p.before.length, 0), 0);
  while (done.length > 1 && (done.length > MOST_STEPS || bytes() > MOST_BYTES)) done.shift();
}

function turn(from, to, key) {
  const step = from.pop();
  if (!step) return;
  for (const patch of step.patches)
    if (masks[patch.role]) paste(masks[patch.role].ids, masks[patch.role].size[0], patch.box, patch[key]);
  if (step.basesBefore) putBases(key === "before" ? step.basesBefore : step.basesAfter);
  if (step.listBefore)
    list = (key === "before" ? step.listBefore : step.listAfter).map(r => ({ ...r, colour: [...r.colour] }));
  to.push(step);
  touched(step.listBefore ? ROLES : step.patches.map(p => p.role));
}

export const undo = () => turn(done, undone, "before");
export const redo = () => turn(undone, done, "after");

const dirty = new Set();
let sending = false;

function touched(roles) {
  roles.forEach(role => dirty.add(role));
  ROLES.filter(role => masks[role]?.blank).forEach(role => dirty.add(role));
  emit("labels");
  send();
}

/** Tells the server what was painted, once the hand rests; the pixels go as they are. */
const send = later(180, async () => {
  if (sending) {
    send();
    return;
  }
  sending = true;
  const roles = ROLES.filter(role => dirty.has(role) && masks[role]);
  dirty.clear();
  for (const [k, role] of roles.entries()) {
    const head = { regions: list.map(({ name, colour }) => ({ name, colour })), more: k < roles.length - 1 };
    const state = await attempt(() => api.labels(role, head, masks[role].ids));
    if (state) {
      masks[role].file = state.regions[role].file;
      masks[role].blank = false;
    }
  }
  sending = false;
  if (dirty.size) send();
  else emit("painted-sent");
});

/** Shares of each region of a picture, in percent. */
export function percentages(role) {
  const held = masks[role];
  if (!held) return list.map(() => "…");
  const counts = new Float64Array(256),
    step = Math.max(1, Math.floor(held.ids.length / 200000));
  let seen = 0;
  for (let i = 0; i < held.ids.length; i += step, seen++) counts[held.ids[i]]++;
  return list.map((_, k) => Math.round((100 * counts[k]) / seen));
}

export const clearPainting = () =>
  change(() => {
    for (const role of ROLES) if (masks[role]) masks[role].ids.set(masks[role].base);
  });

let reading = Promise.resolve(); // one after the other, so that none sees what another has half read
on("state", () => {
  reading = reading.then(() => attempt(read));
});
