// All that is said to the server. What goes wrong is thrown as a sentence.
import { T } from "./strings.js";

export class Sentence extends Error {
  constructor(words, status = 0) {
    super(words);
    this.status = status;
  }
}

async function ask(method, path, body, headers = {}) {
  let answer;
  try {
    answer = await fetch(path, {
      method,
      body,
      headers: { "X-Photostyle": "1", ...headers },
      credentials: "same-origin",
    });
  } catch {
    throw new Sentence(T.lost);
  }
  if (answer.ok) return answer;
  if (answer.status === 403) throw new Sentence(T.anew, 403);
  const found = await answer.json().catch(() => ({}));
  throw new Sentence(found.error || T.failed, answer.status);
}

const json = async (method, path, value) =>
  (
    await ask(method, path, value === undefined ? undefined : JSON.stringify(value), {
      "Content-Type": "application/json",
    })
  ).json();

let session = "";
const at = path => `/api/sessions/${session}${path}`;

export const api = {
  at,
  open: async id => {
    const state = await json("GET", `/api/sessions/${id}`);
    session = id;
    return state;
  },
  create: async () => {
    const state = await json("POST", "/api/sessions");
    session = state.id;
    return state;
  },
  sessions: () => json("GET", "/api/sessions"),
  options: () => json("GET", "/api/options"),
  shelf: () => json("GET", "/api/shelf"),
  state: () => json("GET", at("")),
  patch: wanted => json("PATCH", at(""), wanted),
  post: (path, value) => json("POST", at(path), value),
  drop: path => json("DELETE", at(path)),
  upload: async (role, file, choose = true) => {
    const path = at(`/pictures/${role}?name=${encodeURIComponent(file.name)}${choose ? "" : "&choose=no"}`);
    return (await ask("POST", path, file)).json();
  },
  maskFile: async file =>
    (await ask("POST", at(`/masks-files?name=${encodeURIComponent(file.name)}`), file)).json(),
  bytes: async path => new Uint8Array(await (await ask("GET", at(path))).arrayBuffer()),
  picture: async (path, value) => {
    const answer =
      value === undefined
        ? await ask("GET", at(path))
        : await ask("POST", at(path), JSON.stringify(value), { "Content-Type": "application/json" });
    return createImageBitmap(await answer.blob(), { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  },
  blob: async (path, value) =>
    (await ask("POST", at(path), JSON.stringify(value), { "Content-Type": "application/json" })).blob(),
  labels: async (role, head, ids) => {
    const packed = new Response(new Blob([ids]).stream().pipeThrough(new CompressionStream("gzip")));
    const body = new Blob([JSON.stringify(head) + "\n", await packed.arrayBuffer()]);
    return (
      await ask("PUT", at(`/labels/${role}`), body, { "Content-Type": "application/octet-stream" })
    ).json();
  },
  save: async path => {
    const answer = await ask("GET", at(path));
    const said = answer.headers.get("content-disposition") || "";
    const name = decodeURIComponent(/filename\*=UTF-8''([^;]+)/.exec(said)?.[1] || "result");
    return { name, blob: await answer.blob() };
  },
};

const AGAIN = 3000; // milliseconds after which a refused connection is tried anew

/** Listens to the session's events. A broken connection comes back by itself; where the server does
 * not take it any more, `refused` hears the sentence. Gives what ends the listening. */
export function listen(hear, connected, refused) {
  const path = at("/events");
  let source = null,
    ended = false;
  function begin() {
    source = new EventSource(path);
    source.onmessage = message => hear(JSON.parse(message.data));
    source.onopen = () => connected(true);
    source.onerror = () => {
      connected(false);
      if (source.readyState === EventSource.CLOSED && !ended) setTimeout(again, AGAIN);
    };
  }
  async function again() {
    if (ended) return;
    try {
      await ask("GET", path.replace("/events", ""));
    } catch (error) {
      if ([403, 404].includes(error.status)) refused(error.message);
      else setTimeout(again, AGAIN);
      return;
    }
    if (!ended) begin();
  }
  begin();
  return () => {
    ended = true;
    source.close();
  };
}
