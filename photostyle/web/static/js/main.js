// Puts the page together.
import { api } from "./api.js";
import { h, icon, iconButton } from "./dom.js";
import { T } from "./strings.js";
import { attempt, follow, on, setUi, store } from "./store.js";
import { beginPanel, drawPanel } from "./panel.js";
import { beginFoot } from "./foot.js";
import { beginKeyboard, help } from "./keyboard.js";
import { beginPictures } from "./start.js";
import { beginStage, drawStage } from "./stage.js";

function drawTop() {
  document.getElementById("top").replaceChildren(
    h("h1", {}, h("img", { src: "/static/icon.svg", alt: "" }), T.title),
    h("span", { class: "grow" }),
    h(
      "button",
      {
        type: "button",
        class: "bare",
        id: "new",
        onclick: () =>
          attempt(async () => {
            follow(await api.create());
            setUi({ tab: "pictures" });
          }),
      },
      icon("plus"),
      T.again,
    ),
    iconButton("eye", T.help, help, { id: "help" }),
  );
  const button = document.getElementById("help");
  button.replaceChildren("?");
}

async function opened() {
  let last = null;
  try {
    last = localStorage.getItem("photostyle-session");
    Object.assign(store.ui, JSON.parse(localStorage.getItem("photostyle") || "{}"), {
      held: false,
      heat: "off",
    });
  } catch {
    /* private windows */
  }
  const known = (await api.sessions()).sessions.map(s => s.id);
  for (const id of [last, known[0]].filter(Boolean)) {
    try {
      return await api.open(id);
    } catch {
      /* forgotten */
    }
  }
  return api.create();
}

async function begin() {
  document.title = T.title;
  document.getElementById("stage").setAttribute("aria-label", T.stageLabel);
  drawTop();
  beginPanel();
  beginFoot();
  beginStage();
  beginKeyboard();
  on("busy", () => {
    if (!store.state?.chosen.content || !store.state.chosen.style) drawStage();
  });
  store.options = await attempt(() => api.options());
  const state = await attempt(opened);
  if (!state) return;
  let started = false;
  on("state", () => {
    const now = Boolean(store.state.chosen.content && store.state.chosen.style);
    if (now && !started && store.ui.tab === "pictures") {
      store.ui.tab = "turn";
      drawPanel();
      drawStage();
    }
    started = now;
  });
  follow(state);
  drawPanel();
  await beginPictures();
  document.body.dataset.ready = "1";
}

begin();
