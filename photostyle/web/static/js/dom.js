// Elements without any framework. Text only ever becomes text.
const ICONS = {
  plus: "M12 5v14M5 12h14",
  minus: "M5 12h14",
  swap: "M7 7h12l-3-3M17 17H5l3 3",
  undo: "M9 7 5 11l4 4M5 11h9a5 5 0 0 1 0 10h-3",
  redo: "m15 7 4 4-4 4M19 11h-9a5 5 0 0 0 0 10h3",
  reset: "M5 12a7 7 0 1 0 2-5L5 9M5 4v5h5",
  close: "M6 6l12 12M18 6 6 18",
  brush: "M14 4 20 10 11 19H5v-6zM12 6l6 6",
  eraser: "M4 15 13 6l6 6-7 7H8zM9 10l6 6M12 19h8",
  fill: "M5 12 12 5l7 7-7 7zM12 5 9 2M20 15c1 2 1 4 0 4s-1-2 0-4",
  down: "M12 4v11m-5-5 5 5 5-5M5 20h14",
  grid: "M4 4h7v7H4zM13 4h7v7h-7zM4 13h7v7H4zM13 13h7v7h-7z",
  eye: "M2 12s4-7 10-7 10 7 10 7-4 7-10 7-10-7-10-7zM12 9a3 3 0 1 1 0 6 3 3 0 0 1 0-6z",
  stop: "M7 7h10v10H7z",
  folder: "M3 6h6l2 2h10v11H3z",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "i");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** An element: attributes, `on…` listeners, `style` as a table, and children; null is nothing. */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") for (const [k, v] of Object.entries(value)) element.style.setProperty(k, v);
    else if (name in element && ["value", "checked", "disabled", "hidden", "indeterminate"].includes(name))
      element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter(c => c !== null && c !== undefined && c !== false));
  return element;
}

/** A button with an icon alone, whose name only screen readers and tips tell. */
export function iconButton(name, label, onclick, attributes = {}) {
  return h(
    "button",
    { type: "button", class: "icon bare", "aria-label": label, title: label, onclick, ...attributes },
    icon(name),
  );
}

/** Fills an element anew, keeping focus on what has the same data-key. */
export function refill(element, ...children) {
  const active = document.activeElement;
  const key = element.contains(active) ? active.closest("[data-key]")?.dataset.key : null;
  const top = element.scrollTop;
  element.replaceChildren(
    ...children.flat(Infinity).filter(c => c !== null && c !== undefined && c !== false),
  );
  element.scrollTop = top;
  if (key) element.querySelector(`[data-key="${CSS.escape(key)}"]`)?.focus({ preventScroll: true });
}

export function later(ms, work) {
  let timer = 0;
  const wait = (...given) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...given), ms);
  };
  wait.cancel = () => clearTimeout(timer);
  return wait;
}

/** At most once for each picture of the screen. */
export function framed(work) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      work();
    });
  };
}

export const sentence = words => words.charAt(0).toUpperCase() + words.slice(1);
export const clamp = (x, low, high) => Math.min(high, Math.max(low, x));
