// What tells the results of the strip apart: a number, and what changed against the one before.
import { T } from "./strings.js";
import { store } from "./store.js";

const strip = () => store.state?.strip || [];
const words = name => name.replaceAll("_", " ");
const same = (a, b) => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

/** Its number among the results, one after the other: solves that were given up count for nothing. */
export const numberOf = entry => entry.place ?? strip().indexOf(entry) + 1;

/** What is not as it was in the result before; of the first, and where there is none, the preset. */
export function captionOf(entry) {
  const before = strip()[strip().indexOf(entry) - 1];
  const found = before ? changed(before, entry) : [entry.preset];
  if (entry.interrupted) found.push(T.early);
  return found.length ? found.join(", ") : T.sameAgain;
}

function changed(a, b) {
  const names = [...new Set([...Object.keys(a.options), ...Object.keys(b.options)])];
  return [
    a.content === b.content ? null : T.changes.content,
    a.style === b.style ? null : T.changes.style,
    a.preset === b.preset ? null : b.preset,
    ...names.filter(name => !same(a.options[name], b.options[name])).map(name => option(name, b)),
    regions(a.labels, b.labels),
  ].filter(Boolean);
}

function option(name, { options }) {
  if (name === "correspond") return T.changes.pairs;
  return options[name] === undefined ? T.changes.usual(words(name)) : `${words(name)} ${options[name]}`;
}

/** Whether what somebody drew is other than before; colours are only how it is shown. */
function regions(a, b) {
  if (!a && !b) return null;
  if (!b) return T.changes.found;
  if (!a || ["content", "style"].some(role => !same(a[role], b[role]))) return T.changes.painted;
  return same(a.names, b.names) ? null : T.changes.renamed;
}

export const timeOf = entry =>
  entry.at ? new Date(1000 * entry.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" }) : "";
