// The panel and its tabs.
import { h, refill } from "./dom.js";
import { T } from "./strings.js";
import { on, setUi, store } from "./store.js";
import { picturesPage } from "./start.js";
import { turnPage } from "./turn.js";
import { regionsPage } from "./regions.js";
import { keepPage } from "./keep.js";

const PAGES = { pictures: picturesPage, turn: turnPage, regions: regionsPage, keep: keepPage };
const panel = document.getElementById("panel");
const tabs = h("div", { class: "tabs", role: "tablist", "aria-label": T.tabsLabel });
const page = h("div", { class: "page", role: "tabpanel", id: "page", tabindex: "-1" });

export function show(tab) {
  setUi({ tab });
}

function step(event) {
  const names = Object.keys(PAGES),
    place = names.indexOf(store.ui.tab);
  const next = { ArrowRight: place + 1, ArrowLeft: place - 1, Home: 0, End: names.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  event.stopPropagation();
  show(names[(next + names.length) % names.length]);
  tabs.querySelector("[aria-selected=true]").focus();
}

export function drawPanel() {
  refill(
    tabs,
    Object.keys(PAGES).map(name =>
      h(
        "button",
        {
          type: "button",
          role: "tab",
          id: `tab-${name}`,
          "data-key": name,
          "aria-selected": String(store.ui.tab === name),
          "aria-controls": "page",
          tabindex: store.ui.tab === name ? "0" : "-1",
          onclick: () => show(name),
          onkeydown: step,
        },
        T.tabs[name],
      ),
    ),
  );
  page.setAttribute("aria-labelledby", `tab-${store.ui.tab}`);
  drawPage();
}

function drawPage() {
  if (!store.state || !store.options) return;
  if (page.contains(document.activeElement) && page.querySelector("[data-dragging]")) return;
  refill(page, PAGES[store.ui.tab]());
}

export function beginPanel() {
  panel.append(tabs, page);
  panel.setAttribute("aria-label", T.panelLabel);
  for (const what of ["state", "busy", "labels"]) on(what, drawPage);
  on("ui", change => {
    if ("tab" in change) {
      drawPanel();
      page.scrollTop = 0;
    } else if (["active", "tool", "snap", "brush", "overlay"].some(k => k in change)) drawPage();
  });
}
