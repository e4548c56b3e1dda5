// Choosing pictures: the start screen, the list of pictures, dropping, the folder of the server.
import { api } from "./api.js";
import { h, icon, iconButton } from "./dom.js";
import { T } from "./strings.js";
import { attempt, drop, emit, fileUrl, follow, on, patch, picture, post, store, toast } from "./store.js";

const ROLES = ["content", "style"];
const coming = { content: [], style: [] }; // pictures of this browser that are still on their way
let recent = [];
let shelf = null;

const known = file =>
  file.type.startsWith("image/") || store.options.reads.some(end => file.name.toLowerCase().endsWith(end));

/** Sends pictures one after the other; all of them are on the page at once. */
export async function give(role, files) {
  const list = [...files].filter(known);
  if (!list.length && files.length)
    list.push(files[0]); // the server has the sentence for it
  else if (files.length > list.length) toast(T.others(files.length - list.length));
  const sent = list.map(file => ({ file, url: URL.createObjectURL(file) }));
  coming[role].push(...sent);
  for (const one of sent) {
    await attempt(() => api.upload(role, one.file, one === sent[0]), `send-${role}`);
    coming[role].splice(coming[role].indexOf(one), 1);
    URL.revokeObjectURL(one.url);
  }
  emit("busy");
}

/** A picture as this browser shows it, or nothing where it cannot. */
const glimpse = url => h("img", { src: url, alt: "", onerror: e => e.target.remove() });

function chooser(role, folder) {
  const input = h("input", {
    type: "file",
    class: "unseen",
    tabindex: "-1",
    "aria-hidden": "true",
    accept: folder ? null : ["image/*", ...store.options.reads].join(","),
    multiple: true,
    onchange: e => {
      give(role, e.target.files);
      e.target.value = "";
    },
  });
  if (folder) input.webkitdirectory = true;
  const label = folder ? T.chooseFolder : T.choose;
  const button = h(
    "button",
    {
      type: "button",
      "aria-label": `${T[role]}: ${label}`,
      "data-key": `choose-${role}-${folder}`,
      onclick: () => input.click(),
    },
    label,
  );
  return [button, input];
}

function droppable(element, role) {
  element.addEventListener("dragover", e => {
    e.preventDefault();
    e.stopPropagation();
    element.classList.add("over");
  });
  element.addEventListener("dragleave", () => element.classList.remove("over"));
  element.addEventListener("drop", async e => {
    e.preventDefault();
    e.stopPropagation();
    element.classList.remove("over");
    give(role, await dropped(e.dataTransfer));
  });
  return element;
}

/** Files that were dropped, those in dropped folders too. */
async function dropped(transfer) {
  const entries = [...transfer.items].map(i => i.webkitGetAsEntry?.()).filter(Boolean);
  if (!entries.some(e => e.isDirectory)) return [...transfer.files];
  const found = [];
  async function walk(entry) {
    if (entry.isFile) found.push(await new Promise((yes, no) => entry.file(yes, no)));
    else {
      const reader = entry.createReader();
      for (let part; (part = await new Promise((yes, no) => reader.readEntries(yes, no))).length;)
        for (const one of part) await walk(one);
    }
  }
  for (const entry of entries) await walk(entry);
  return found.sort((a, b) => a.name.localeCompare(b.name));
}

function zone(role) {
  const chosen = picture(role),
    mine = chosen ? h("img", { src: fileUrl(chosen.file, "thumb"), alt: chosen.name }) : null,
    image = mine || (coming[role].length ? glimpse(coming[role][0].url) : null),
    count = store.state.pictures[role].length + coming[role].length;
  return droppable(
    h(
      "div",
      { class: image ? "zone full" : "zone", role: "group", "aria-label": T[role] },
      image,
      h("div", { class: "what" }, T.several(T[role], count)),
      h("div", { class: "dim" }, T[`${role}Help`]),
      h("div", { class: "row" }, ...chooser(role, false), ...chooser(role, true)),
      coming[role].length ? h("div", { class: "row small" }, T.sending(coming[role][0].file.name)) : null,
    ),
    role,
  );
}

export function startScreen() {
  return h(
    "div",
    { class: "start" },
    h("div", { class: "stack" }, h("h2", {}, T.begin), h("p", {}, T.beginHelp)),
    h("div", { class: "zones" }, ROLES.map(zone)),
    h(
      "button",
      {
        type: "button",
        class: "main",
        "data-key": "example",
        disabled: store.busy.has("example"),
        onclick: () => post("/example", {}, "example"),
      },
      store.busy.has("example") ? T.loading : T.example,
    ),
    recent.length
      ? h(
          "div",
          { class: "stack" },
          h("h3", { class: "small dim" }, T.recent),
          h(
            "div",
            { class: "recent" },
            recent.map(one =>
              h(
                "button",
                { type: "button", onclick: () => attempt(async () => follow(await api.open(one.id))) },
                h("img", { src: `/api/sessions/${one.id}/files/${one.file}/thumb`, alt: "" }),
                one.name,
              ),
            ),
          ),
        )
      : null,
  );
}

function shot(role, one) {
  const active = store.state.chosen[role] === one.file;
  return h(
    "div",
    { class: "shot" },
    h(
      "button",
      {
        type: "button",
        "data-key": `${role}-${one.file}`,
        "aria-pressed": String(active),
        "aria-label": T.use(one.name, T[role]),
        onclick: () => patch({ [role]: one.file }),
      },
      h("img", { src: fileUrl(one.file, "thumb"), alt: "", loading: "lazy" }),
    ),
    iconButton("close", T.remove(one.name), () => drop(`/pictures/${role}/${one.file}`), {
      class: "icon away",
    }),
    h("div", { class: "name", title: one.name }, one.name),
  );
}

export function picturesPage() {
  const sections = ROLES.map(role =>
    droppable(
      h(
        "section",
        {},
        h(
          "div",
          { class: "head" },
          h("h2", {}, T[role]),
          h("div", { class: "row" }, ...chooser(role, false), ...chooser(role, true)),
        ),
        h(
          "div",
          { class: "shots" },
          store.state.pictures[role].map(one => shot(role, one)),
          coming[role].map(({ file, url }) =>
            h(
              "div",
              { class: "shot coming" },
              h("span", { class: "blank" }, glimpse(url)),
              h("div", { class: "name", title: file.name }, file.name),
            ),
          ),
        ),
        coming[role].length ? h("p", { class: "small dim" }, T.sending(coming[role][0].file.name)) : null,
        (picture(role)?.notes || []).map(note => h("p", { class: "small dim" }, note)),
      ),
      role,
    ),
  );
  if (shelf?.length) sections.push(shelfSection());
  if (store.state.chosen.content && store.state.chosen.style)
    sections.push(
      h(
        "section",
        {},
        h(
          "button",
          { type: "button", "data-key": "swap", onclick: () => post("/swap", {}) },
          icon("swap"),
          T.swap,
        ),
      ),
    );
  else
    sections.push(
      h(
        "section",
        {},
        h("button", { type: "button", onclick: () => post("/example", {}, "example") }, T.example),
      ),
    );
  return sections;
}

function shelfSection() {
  return h(
    "section",
    {},
    h(
      "div",
      { class: "head" },
      h("h2", {}, T.shelf),
      h(
        "button",
        {
          type: "button",
          class: "bare small",
          "data-key": "shelf-all",
          "aria-label": T.shelfAllHelp,
          title: T.shelfAllHelp,
          onclick: takeAll,
        },
        T.shelfAll,
      ),
    ),
    h(
      "ul",
      { class: "items" },
      shelf.map(one =>
        h(
          "li",
          {},
          h("span", { class: "grow", title: one.name }, one.name),
          ROLES.map(role =>
            h(
              "button",
              {
                type: "button",
                class: "bare small",
                "aria-label": `${one.name}: ${T.shelfUse[role]}`,
                onclick: () => post(`/shelf/${role}`, { id: one.id }, `send-${role}`),
              },
              T[role],
            ),
          ),
        ),
      ),
    ),
  );
}

async function takeAll() {
  for (const { id } of shelf)
    if (!(await post("/shelf/content", { id, choose: id === shelf[0].id }, "send-content"))) return;
}

const readRecent = () =>
  attempt(async () => {
    recent = (await api.sessions()).sessions.filter(s => s.id !== store.state?.id).slice(0, 6);
    emit("busy");
  });

export async function beginPictures() {
  let depth = 0;
  document.body.dataset.drop = T.dropHere;
  const bare = e => [...e.dataTransfer.types].includes("Files");
  addEventListener("dragenter", e => {
    if (bare(e)) {
      depth++;
      document.body.classList.add("dropping");
    }
  });
  addEventListener("dragleave", () => {
    if (--depth <= 0) over();
  });
  addEventListener("dragover", e => e.preventDefault());
  const over = () => {
    depth = 0;
    document.body.classList.remove("dropping");
  };
  addEventListener("drop", over, true); // also where a zone takes what is dropped
  addEventListener("drop", async e => {
    e.preventDefault();
    const files = await dropped(e.dataTransfer);
    if (!files.length) return;
    if (!picture("content")) {
      await give("content", files.slice(0, 1));
      await give("style", files.slice(1));
    } else await give(picture("style") ? "content" : "style", files);
  });
  on("state", before => {
    if (!before) readRecent();
  });
  await attempt(async () => {
    shelf = (await api.shelf()).pictures;
  });
  await readRecent();
}
