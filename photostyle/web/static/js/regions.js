// The panel of regions: finding, tools, the list with its pairs, loading and saving.
import { api } from "./api.js";
import { h, icon, iconButton } from "./dom.js";
import { T } from "./strings.js";
import { listSection } from "./regionlist.js";
import { canRedo, canUndo, redo, regionList, undo } from "./masks.js";
import { attempt, picture, post, setUi, store, toast } from "./store.js";
import { saveFile } from "./keep.js";

const ROLES = ["content", "style"];

export const pickTool = tool => setUi({ tool });
export const toggleSnap = () => setUi({ snap: !store.ui.snap });

function findSection() {
  const busy = store.busy.has("find");
  return h(
    "section",
    {},
    h("p", { class: "small dim" }, T.findHelp),
    h(
      "button",
      {
        type: "button",
        class: regionList().length ? null : "main",
        "data-key": "find",
        disabled: busy,
        onclick: () => post("/find", {}, "find"),
      },
      busy ? T.finding : regionList().length ? T.findAgain : T.find,
    ),
    (store.state.regions?.notes || []).map(note => h("p", { class: "small dim" }, note)),
  );
}

function toolSection() {
  const tools = ["brush", "eraser", "fill"].map(tool =>
    h(
      "button",
      {
        type: "button",
        "data-key": `tool-${tool}`,
        "aria-pressed": String(store.ui.tool === tool),
        onclick: () => pickTool(tool),
      },
      icon(tool),
      T.tools[tool],
    ),
  );
  return h(
    "section",
    {},
    h(
      "div",
      { class: "head" },
      h("h2", {}, T.toolsLabel),
      h(
        "div",
        { class: "row" },
        iconButton("undo", T.undo, undo, { disabled: !canUndo(), "data-key": "undo" }),
        iconButton("redo", T.redo, redo, { disabled: !canRedo(), "data-key": "redo" }),
      ),
    ),
    h(
      "div",
      { class: "toolrow", role: "group", "aria-label": T.toolsLabel },
      tools,
    ),
    h(
      "label",
      { class: "check" },
      h("input", {
        type: "checkbox",
        "data-key": "tool-snap",
        checked: store.ui.snap,
        onchange: toggleSnap,
      }),
      T.tools.snap,
    ),
    range("brush", T.size, 1, 400, 1, v => `${v} px`),
    range("overlay", T.opacity, 0, 1, 0.05, v => `${Math.round(v * 100)}%`),
    store.ui.tool === "eraser" ? h("p", { class: "small dim" }, T.eraserHelp) : null,
  );
}

function range(name, label, min, max, step, show) {
  const id = `ui-${name}`,
    output = h("output", { for: id }, show(store.ui[name]));
  return h(
    "div",
    { class: "slide" },
    h("label", { for: id }, label),
    h("span"),
    output,
    h("input", {
      type: "range",
      id,
      "data-key": id,
      min,
      max,
      step,
      value: store.ui[name],
      oninput: e => {
        output.textContent = show(Number(e.target.value));
        setUi({ [name]: Number(e.target.value) });
      },
    }),
  );
}

// Files.

async function loadMasks(role, files) {
  if (!files.length) return;
  await attempt(async () => {
    const sent = [];
    for (const file of files) sent.push(await api.maskFile(file));
    const state = await post(`/masks/${role}`, { files: sent });
    (state?.notes || []).forEach(note => toast(note, false));
  }, "masks");
}

function filesSection() {
  const forRole = { content: T.forContent, style: T.forStyle };
  return h(
    "section",
    {},
    h("h2", {}, T.loadMask),
    h("p", { class: "small dim" }, T.loadHelp),
    h(
      "div",
      { class: "row" },
      ROLES.map(role => {
        const input = h("input", {
          type: "file",
          class: "unseen",
          tabindex: "-1",
          "aria-hidden": "true",
          multiple: true,
          "data-mask": role,
          onchange: e => loadMasks(role, [...e.target.files]),
        });
        return [
          h(
            "button",
            {
              type: "button",
              class: "grow",
              "aria-label": `${T.loadMask}: ${forRole[role]}`,
              "data-key": `load-${role}`,
              onclick: () => input.click(),
            },
            icon("folder"),
            forRole[role],
          ),
          input,
        ];
      }),
    ),
    regionList().length
      ? [
          h(
            "label",
            { class: "row" },
            h("span", { class: "grow" }, T.saveMask),
            h(
              "select",
              { id: "mask-form", style: { width: "auto" } },
              Object.entries(T.formats).map(([value, text]) => h("option", { value }, text)),
            ),
          ),
          h(
            "div",
            { class: "row" },
            ROLES.filter(role => store.state.regions?.[role]).map(role =>
              h(
                "button",
                {
                  type: "button",
                  class: "grow",
                  "aria-label": `${T.saveMask}: ${forRole[role]}`,
                  "data-key": `save-${role}`,
                  onclick: () =>
                    saveFile(`/labels/${role}/file?form=${document.getElementById("mask-form").value}`),
                },
                icon("down"),
                forRole[role],
              ),
            ),
          ),
        ]
      : null,
  );
}

export function regionsPage() {
  if (!picture("content") || !picture("style")) return [h("p", { class: "dim" }, T.noPair)];
  const some = regionList().length > 0;
  return [findSection(), some ? toolSection() : null, some ? listSection() : null, filesSection()];
}
