// The session as the server has it, what is looked at, and who wants to know.
import { api, listen, Sentence } from "./api.js";
import { T } from "./strings.js";
import { h } from "./dom.js";

const hearers = new Map();
export function on(what, work) {
  hearers.set(what, [...(hearers.get(what) || []), work]);
  return () =>
    hearers.set(
      what,
      hearers.get(what).filter(x => x !== work),
    );
}
export const emit = (what, value) => (hearers.get(what) || []).forEach(work => work(value));

/** `ui` is this tab's own: what it shows. */
export const store = {
  state: null,
  options: null,
  progress: null,
  connected: true,
  busy: new Set(),
  ui: {
    tab: "pictures",
    mode: "split",
    heat: "off",
    split: 0.5,
    active: 0,
    tool: "brush",
    snap: false,
    brush: 40,
    overlay: 0.4,
    held: false,
  },
};

export function setUi(change) {
  Object.assign(store.ui, change);
  try {
    localStorage.setItem("photostyle", JSON.stringify({ ...store.ui, held: false }));
  } catch {
    /* private windows */
  }
  emit("ui", change);
}

export const untoast = sentence =>
  [...document.getElementById("toasts").children].find(x => x.dataset.text === sentence)?.remove();

/** A sentence for a while, or until it is taken away where it stays. */
export function toast(sentence, bad = true, stays = false) {
  const box = document.getElementById("toasts");
  untoast(sentence);
  const item = h(
    "div",
    { class: "toast", role: bad ? "alert" : null, "data-text": sentence },
    h("span", { class: "grow" }, sentence),
    h("button", { type: "button", onclick: () => item.remove() }, T.dismiss),
  );
  box.append(item);
  if (box.children.length > 4) box.firstChild.remove();
  if (!stays) setTimeout(() => item.remove(), bad ? 15000 : 6000);
}

/** Does something on the server; a sentence comes up where it does not work. */
export async function attempt(work, what = "") {
  if (what) {
    store.busy.add(what);
    emit("busy");
  }
  try {
    const found = await work();
    if (store.connected) untoast(T.lost);
    return found;
  } catch (error) {
    toast(error instanceof Sentence ? error.message : T.failed);
    if (!(error instanceof Sentence)) console.error(error);
    return null;
  } finally {
    if (what) {
      store.busy.delete(what);
      emit("busy");
    }
  }
}

function take(state) {
  if (store.state && state.id === store.state.id && state.revision < store.state.revision) return;
  const before = store.state;
  store.state = state;
  if (state.progress?.n) store.progress = state.progress;
  else if (!state.progress) store.progress = null;
  emit("state", before);
}

export const patch = wanted => attempt(async () => take(await api.patch(wanted)));
export const setOptions = options => patch({ options });
export const post = (path, value, what) =>
  attempt(async () => {
    const s = await api.post(path, value);
    if (s.revision !== undefined) take(s);
    return s;
  }, what);
export const drop = path => attempt(async () => take(await api.drop(path)));

let end = null;
export function follow(state) {
  store.state = null;
  store.progress = null;
  take(state);
  end?.();
  end = listen(
    event => {
      if (event.type === "state") take(event.state);
      else if (event.type === "error") toast(event.error);
      else if (event.type === "progress" || event.type === "picture") {
        store.progress = event.n
          ? { ...(store.progress?.n === event.n ? store.progress : {}), ...event }
          : null;
        emit(event.type, event);
      } else emit(event.type, event);
    },
    connected => {
      if (connected === store.connected) return;
      store.connected = connected;
      if (connected) untoast(T.lost);
      toast(connected ? T.back : T.lost, !connected);
      emit("busy");
    },
    sentence => {
      untoast(T.lost);
      toast(sentence);
    },
  );
  try {
    localStorage.setItem("photostyle-session", state.id);
  } catch {
    /* private windows */
  }
}

export const picture = role =>
  store.state?.pictures[role].find(p => p.file === store.state.chosen[role]) || null;
export const shown = () => store.state?.strip.find(e => e.n === store.state.shown) || null;
export const regions = () => store.state?.regions?.regions || [];
export const fileUrl = (file, kind) => api.at(`/files/${file}/${kind}`);
