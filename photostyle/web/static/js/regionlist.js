// The list of regions: names, colours, shares, and which takes after which.
import { h, icon, iconButton } from "./dom.js";
import { T } from "./strings.js";
import { quoted, shares } from "./live.js";
import { canUndo, change, clearPainting, masks, percentages, regionList, setList } from "./masks.js";
import { merged, without } from "./removing.js";
import { drop, setOptions, setUi, store, toast } from "./store.js";

const ROLES = ["content", "style"];
const MORE = [
  [255, 128, 0],
  [0, 255, 128],
  [128, 0, 255],
  [255, 128, 255],
  [128, 64, 0],
  [128, 192, 0],
  [0, 128, 192],
  [160, 0, 96],
  [255, 224, 160],
  [0, 0, 255],
  [0, 255, 255],
  [255, 0, 0],
  [0, 255, 0],
  [255, 255, 0],
  [255, 0, 255],
  [255, 255, 255],
  [128, 128, 128],
  [0, 0, 0],
];
const css = colour => `rgb(${colour.join(" ")})`;

function rename(k, name) {
  const clean = name.trim();
  if (!clean || regionList().some((r, i) => i !== k && r.name === clean)) {
    toast(T.ownName);
    return;
  }
  const old = regionList()[k].name;
  change(list => {
    list[k].name = clean;
  });
  carry(old, clean);
}

/** Has what the options say of a region go with its new name, or go with it where that is null. */
function carry(old, name) {
  const told = store.state.options,
    options = {};
  const found = Object.entries(pairs());
  if (found.some(pair => pair.includes(old)))
    options.correspond = pairWords(
      found.map(pair => pair.map(n => (n === old ? name : n))).filter(pair => !pair.includes(null)),
    );
  for (const option of ["strength", "protect"]) {
    if (told[option] === undefined) continue;
    const { whole, of } = shares(told[option], option === "protect" ? 1 : null);
    if (of[old] === undefined) continue;
    const rest = Object.entries(of)
      .map(([n, v]) => [n === old ? name : n, v])
      .filter(([n]) => n !== null);
    const words = rest.map(([n, v]) => `${quoted(n)}=${v}`);
    options[option] = (whole === null ? words : [whole, ...words]).join(",") || null;
  }
  if (Object.keys(options).length) setOptions(options);
}

const pairWords = found => found.map(pair => pair.map(quoted).join("=")).join(",") || null;

function recolour(k, hex) {
  const colour = [1, 3, 5].map(i => parseInt(hex.slice(i, i + 2), 16));
  if (regionList().some((r, i) => i !== k && css(r.colour) === css(colour))) {
    toast(T.ownColour);
    return;
  }
  change(list => {
    list[k].colour = colour;
  });
}

/** Makes all pixels of one region another's, in both pictures, and takes it from the list. */
const merge = (k, into) => takeOut(k, plane => merged(plane, k, into));

/** Takes a region away; what it covered goes to what lies nearest to it. */
const remove = k => takeOut(k, (plane, width) => without(plane, width, k, k === 0 ? 1 : 0));

function takeOut(k, left) {
  const old = regionList()[k].name;
  change(list => {
    for (const role of ROLES) {
      const held = masks[role];
      if (!held) continue;
      held.ids.set(left(held.ids, held.size[0]));
      held.base = left(held.base, held.size[0]);
    }
    list.splice(k, 1);
  });
  setUi({ active: Math.max(0, Math.min(store.ui.active, regionList().length - 1)) });
  carry(old, null);
}

function swapRegions(a, b) {
  change(() => {
    for (const role of ["content"]) {
      const ids = masks[role]?.ids;
      if (ids) for (let i = 0; i < ids.length; i++) ids[i] = ids[i] === a ? b : ids[i] === b ? a : ids[i];
    }
  });
}

function addRegion() {
  const taken = new Set(regionList().map(r => css(r.colour)));
  const colour = MORE.find(c => !taken.has(css(c))) || [17 + ((regionList().length * 7) % 200), 90, 140];
  let n = regionList().length + 1;
  while (regionList().some(r => r.name === T.newRegion(n))) n++;
  setList([...regionList(), { name: T.newRegion(n), colour }]);
  setUi({ active: regionList().length - 1 });
}

/** Pairs by name, from the option `correspond`. */
function pairs() {
  const found = {};
  for (const part of (store.state.options.correspond || "").match(/(?:"(?:[^"]|"")*"|[^,"])+/g) || []) {
    const [a, b] = part.match(/"(?:[^"]|"")*"|[^="]+/g) || [];
    if (a && b) found[plainName(a)] = plainName(b);
  }
  return found;
}
const plainName = word =>
  word
    .trim()
    .replace(/^"(.*)"$/, "$1")
    .replaceAll('""', '"');

function pairUp(name, other) {
  const found = pairs();
  if (other && other !== name) found[name] = other;
  else delete found[name];
  setOptions({ correspond: pairWords(Object.entries(found)) });
}

function row(region, k, mine, its, paired) {
  const active = k === Math.min(store.ui.active, regionList().length - 1);
  const hex = `#${region.colour.map(v => v.toString(16).padStart(2, "0")).join("")}`;
  const item = h(
    "div",
    {
      class: active ? "region active" : "region",
      draggable: "true",
      ondragstart: e => {
        e.dataTransfer.setData("text/region", region.name);
        item.dataset.dragging = "1";
      },
      ondragend: () => delete item.dataset.dragging,
      ondragover: e => {
        if ([...e.dataTransfer.types].includes("text/region")) {
          e.preventDefault();
          item.classList.add("target");
        }
      },
      ondragleave: () => item.classList.remove("target"),
      ondrop: e => {
        const name = e.dataTransfer.getData("text/region");
        item.classList.remove("target");
        if (name) {
          e.preventDefault();
          e.stopPropagation();
          pairUp(name, region.name);
        }
      },
    },
    h("input", {
      type: "color",
      value: hex,
      "aria-label": `${region.name}: ${T.colour}`,
      "data-key": `colour-${k}`,
      onchange: e => recolour(k, e.target.value),
    }),
    h(
      "button",
      {
        type: "button",
        class: "pick",
        "data-key": `region-${k}`,
        "aria-pressed": String(active),
        onclick: () => setUi({ active: k }),
      },
      h("span", {}, region.name),
    ),
    h("span", { class: "shares", title: T.sharesHelp }, T.regionShares(mine, its)),
    active && regionList().length > 1
      ? iconButton("close", T.removeRegion(region.name), () => remove(k), { "data-key": `remove-${k}` })
      : h("span"),
  );
  if (active && its === 0 && !paired) item.append(h("p", { class: "pair" }, T.onlyHere));
  if (active && mine === 0 && its > 0) item.append(h("p", { class: "pair" }, T.onlyThere));
  if (active) item.append(details(region, k, paired));
  else if (paired) item.append(h("div", { class: "pair" }, `${T.pairsWith} ${paired}`));
  return item;
}

function details(region, k, paired) {
  const others = regionList()
    .map((r, i) => [r.name, i])
    .filter(([, i]) => i !== k);
  const choose = (label, first, work) =>
    h(
      "select",
      {
        "aria-label": `${region.name}: ${label}`,
        onchange: e => {
          if (e.target.value !== "") work(Number(e.target.value));
        },
      },
      h("option", { value: "" }, first),
      others.map(([name, i]) => h("option", { value: i }, name)),
    );
  return h(
    "div",
    { class: "pair wrap" },
    h(
      "label",
      { class: "row grow" },
      h("span", { class: "nowrap" }, T.name),
      h("input", {
        type: "text",
        value: region.name,
        "aria-label": T.rename,
        "data-key": `name-${k}`,
        onchange: e => rename(k, e.target.value),
      }),
    ),
    h(
      "label",
      { class: "row grow" },
      h("span", { class: "nowrap" }, T.pairsWith),
      h(
        "select",
        { "data-key": `pair-${k}`, onchange: e => pairUp(region.name, e.target.value) },
        h("option", { value: "", selected: !paired }, T.same),
        others.map(([name]) => h("option", { value: name, selected: name === paired }, name)),
      ),
    ),
    others.length
      ? h(
          "div",
          { class: "halves" },
          choose(T.merge, T.merge, i => merge(k, i)),
          choose(T.swapRegions, T.swapWith, i => swapRegions(k, i)),
        )
      : null,
  );
}

export function listSection() {
  const mine = percentages("content"),
    its = percentages("style"),
    paired = pairs();
  return h(
    "section",
    {},
    h(
      "div",
      { class: "head" },
      h("h2", {}, T.tabs.regions),
      h(
        "button",
        { type: "button", class: "bare", "data-key": "add-region", onclick: addRegion },
        icon("plus"),
        T.addRegion,
      ),
    ),
    h("p", { class: "small dim" }, T.pairHelp, " ", T.sharesHelp),
    h(
      "div",
      { class: "stack" },
      regionList().map((region, k) => row(region, k, mine[k], its[k], paired[region.name])),
    ),
    h(
      "div",
      { class: "row wrap" },
      h(
        "button",
        { type: "button", "data-key": "clear", disabled: !canUndo(), onclick: clearPainting },
        T.clear,
      ),
      h("button", { type: "button", "data-key": "drop", onclick: () => drop("/labels") }, T.dropRegions),
    ),
  );
}
