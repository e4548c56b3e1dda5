// Saving: the picture at full size, what belongs to it, facts about it, and all photographs at once.
import { api } from "./api.js";
import { h, icon } from "./dom.js";
import { T } from "./strings.js";
import { commandSection } from "./turn.js";
import { attempt, patch, post, setOptions, shown, store, toast, untoast } from "./store.js";

const preparing = new Set(); // what is on its way: a second click on it does nothing

/** Has the browser keep what the server gives. */
export async function saveFile(path) {
  if (preparing.has(path)) return;
  preparing.add(path);
  toast(T.preparing, false, true);
  const found = await attempt(() => api.save(path), "save");
  preparing.delete(path);
  if (!preparing.size) untoast(T.preparing);
  if (!found) return;
  toast(T.saved(found.name), false);
  const url = URL.createObjectURL(found.blob),
    link = h("a", { href: url, download: found.name });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60000);
}

function choice(id, label, options, at, pick) {
  return h(
    "div",
    { class: "field" },
    h("label", { for: id }, label),
    h(
      "select",
      { class: "control", id, "data-key": id, onchange: e => pick(e.target.value) },
      Object.entries(options).map(([value, text]) => h("option", { value, selected: value === at }, text)),
    ),
  );
}

function saveSection(entry) {
  const { form, depth } = store.state.keep,
    writes = store.options.writes,
    of = name => writes.find(one => one.form === name)?.depths || [8];
  const table = (list, key, text) => Object.fromEntries(list.map(one => [key(one), text(one)]));
  const busy = store.busy.has("save"),
    query = `form=${form}&depth=${depth}`;
  return h(
    "section",
    { id: "save-picture" },
    h("h2", {}, T.save),
    choice(
      "form",
      T.format,
      table(
        writes,
        one => one.form,
        one => one.name,
      ),
      form,
      v => patch({ keep: { form: v, depth: of(v).includes(depth) ? depth : of(v)[0] } }),
    ),
    of(form).length > 1
      ? choice("depth", T.depth, table(of(form), String, T.bits), String(depth), v =>
          patch({ keep: { form, depth: Number(v) } }),
        )
      : null,
    choice("space", T.space, { "": T.ownSpace, ...T.spaces }, store.state.options.output_space ?? "", v =>
      setOptions({ output_space: v || null }),
    ),
    h(
      "div",
      { class: "field" },
      h("label", { for: "output-size" }, T.outSize),
      h("input", {
        class: "control",
        type: "number",
        id: "output-size",
        "data-key": "output-size",
        min: 32,
        value: store.state.options.output_size ?? "",
        "aria-describedby": "output-help",
        onchange: e => setOptions({ output_size: e.target.value ? Number(e.target.value) : null }),
      }),
      h("p", { class: "help", id: "output-help" }, T.outSizeHelp),
    ),
    h(
      "button",
      {
        type: "button",
        class: "main",
        "data-key": "download",
        disabled: busy,
        onclick: () => saveFile(`/results/${entry.n}/keep?${query}`),
      },
      icon("down"),
      T.download,
    ),
    h(
      "button",
      {
        type: "button",
        "data-key": "bundle",
        disabled: busy,
        onclick: () => saveFile(`/results/${entry.n}/keep?what=bundle&${query}`),
      },
      T.bundle,
    ),
    h(
      "button",
      { type: "button", "data-key": "manifest", onclick: () => saveFile(`/results/${entry.n}/manifest`) },
      T.manifest,
    ),
  );
}

function factsSection(entry) {
  const percent = x => `${Math.round(100 * x)}%`;
  const rows = [
    [T.structure, entry.scores.structure.toFixed(3)],
    [T.taken, percent(entry.scores.style_taken)],
    [T.stain, entry.scores.stain.toFixed(2)],
    [T.regionsBy, entry.regions_by],
    [T.encoder, entry.encoder || "–"],
    [T.time, T.seconds(entry.seconds)],
  ];
  return h(
    "section",
    {},
    h("h2", {}, T.facts),
    h(
      "table",
      { class: "scores num" },
      h(
        "tbody",
        {},
        rows.map(([a, b]) => h("tr", {}, h("td", { class: "dim" }, a), h("td", {}, b))),
      ),
    ),
    entry.notes?.length
      ? h(
          "details",
          {},
          h("summary", {}, T.notes),
          entry.notes.map(note => h("p", { class: "small dim" }, note)),
        )
      : null,
  );
}

function lookSection(entry) {
  return h(
    "section",
    {},
    h("h2", {}, T.look),
    h("p", { class: "small dim" }, T.lookHelp),
    h(
      "div",
      { class: "row" },
      Object.entries(T.looks).map(([kind, text]) =>
        h(
          "button",
          {
            type: "button",
            class: "grow",
            "data-key": `look-${kind}`,
            onclick: () => saveFile(`/results/${entry.n}/look?kind=${kind}`),
          },
          icon("down"),
          text,
        ),
      ),
    ),
  );
}

function batchSection() {
  const items = store.state.batch,
    count = store.state.pictures.content.length;
  if (count < 2 && !items.length) return null;
  const running = items.some(i => ["waiting", "doing"].includes(i.state)),
    finished = items.filter(i => i.state === "done").length;
  return h(
    "section",
    {},
    h("h2", {}, T.batch),
    h("p", { class: "small dim" }, T.batchHelp(count)),
    running
      ? h(
          "button",
          { type: "button", "data-key": "batch-end", onclick: () => post("/do/end-batch") },
          T.batchEnd,
        )
      : h(
          "button",
          { type: "button", "data-key": "batch-go", disabled: count < 1, onclick: () => post("/do/batch") },
          T.batchGo,
        ),
    running
      ? h("progress", {
          class: "batchbar",
          max: items.length,
          value: items.filter(i => !["waiting", "doing"].includes(i.state)).length,
          "aria-label": T.batch,
        })
      : null,
    items.length ? h("p", { class: "small dim", role: "status" }, T.batchDone(finished, items.length)) : null,
    h(
      "ul",
      { class: "items" },
      items.map((item, place) =>
        h(
          "li",
          {},
          h("span", { class: "grow", title: item.error || item.name }, item.name),
          h(
            "span",
            { class: item.state === "failed" ? "bad small" : "dim small", title: item.error || "" },
            T.states[item.state],
          ),
          item.state === "done"
            ? h(
                "button",
                {
                  type: "button",
                  class: "icon bare",
                  "aria-label": T.saveOne(item.name),
                  title: T.saveOne(item.name),
                  onclick: () => saveFile(`/batch/${place}/picture`),
                },
                icon("down"),
              )
            : null,
          item.error ? h("p", { class: "bad small why" }, item.error) : null,
        ),
      ),
    ),
    finished > 1
      ? h(
          "button",
          { type: "button", "data-key": "batch-all", onclick: () => saveFile("/batch/all") },
          icon("down"),
          T.batchAll(finished),
        )
      : null,
  );
}

export function keepPage() {
  const entry = shown();
  if (!entry) return [h("p", { class: "dim" }, T.noResult), batchSection()];
  return [saveSection(entry), lookSection(entry), batchSection(), commandSection(), factsSection(entry)];
}
