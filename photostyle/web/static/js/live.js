// The result at any strength, computed in the page: what `photostyle render` does, at the size of the view.
const LUMA = [0.299, 0.587, 0.114];
const PURE = 0.5;

/** Shares by name from words such as `0.8,blue=0.5`; `alone` is what a name without a number means. */
export function shares(words, alone = null) {
  const found = { whole: null, of: {} };
  for (const [, quoted, plain, number] of (words || "").matchAll(
    /(?:"((?:[^"]|"")*)"|([^,="]+))(?:=([\d.eE+-]+))?(?:,|$)/g,
  )) {
    const name = quoted !== undefined ? quoted.replaceAll('""', '"') : plain.trim();
    if (number !== undefined) found.of[name] = Number(number);
    else if (alone === null && quoted === undefined && !Number.isNaN(Number(name)))
      found.whole = Number(name);
    else if (alone !== null) found.of[name] = alone;
  }
  return found;
}

export const quoted = name => (/[,="]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);

/** What the options of rendering come to, for a result with these regions. */
export function plan(options, names) {
  const strength = shares(options.strength ?? "1");
  const guarded = shares(options.protect ?? "", 1).of;
  const whole = strength.whole ?? 1;
  const perRegion = names.length
    ? names.map(n => (strength.of[n] ?? whole) * (1 - (guarded[n] ?? 0)))
    : [whole];
  const things = Object.fromEntries(Object.entries(guarded).filter(([n]) => !names.includes(n)));
  return { perRegion, things, luminance: options.luminance ?? 1, color: options.color ?? 1 };
}

const uniform = values => values.every(v => v === values[0]);

/**
 * @param content, result: RGBA bytes. regions: index of a region for every pixel, or null.
 * @param planes: bytes by name of a thing, where its own look is kept.
 * @param out: RGBA bytes to be filled.
 */
export function compute(content, result, regions, planes, plan, out) {
  const { perRegion, things, luminance, color } = plan;
  const kept = Object.entries(things).filter(([name]) => planes[name]);
  if (luminance === 1 && color === 1 && !kept.length)
    mix(content, result, uniform(perRegion) ? null : regions, perRegion, out);
  else
    keep(
      content,
      result,
      uniform(perRegion) ? null : regions,
      perRegion,
      kept.map(([n, s]) => [n, s, planes[n]]),
      luminance,
      color,
      out,
    );
}

function mix(content, result, regions, strengths, out) {
  const levels = strengths.map(s => Math.round(s * 65536));
  let s = levels[0] ?? 65536;
  for (let i = 0, p = 0; i < out.length; i += 4, p++) {
    if (regions) s = levels[regions[p]] ?? 65536;
    out[i] = content[i] + (((result[i] - content[i]) * s + 32768) >> 16);
    out[i + 1] = content[i + 1] + (((result[i + 1] - content[i + 1]) * s + 32768) >> 16);
    out[i + 2] = content[i + 2] + (((result[i + 2] - content[i + 2]) * s + 32768) >> 16);
    out[i + 3] = 255;
  }
}

function keep(content, result, regions, strengths, kept, luminance, color, out) {
  const chroma = kept.find(([name]) => name === "neutrals");
  const whole = kept.filter(([name]) => name !== "neutrals");
  let s = strengths[0] ?? 1;
  for (let i = 0, p = 0; i < out.length; i += 4, p++) {
    if (regions) s = strengths[regions[p]] ?? 1;
    const r = content[i],
      g = content[i + 1],
      b = content[i + 2];
    const nr = r + (result[i] - r) * s,
      ng = g + (result[i + 1] - g) * s,
      nb = b + (result[i + 2] - b) * s;
    const luma = LUMA[0] * r + LUMA[1] * g + LUMA[2] * b,
      changed = LUMA[0] * nr + LUMA[1] * ng + LUMA[2] * nb;
    const y = luma + (changed - luma) * luminance;
    const tint = chroma ? color * (1 - (chroma[1] * chroma[2][p]) / 255) : color;
    let mr = y + (r - luma) + (nr - changed - (r - luma)) * tint;
    let mg = y + (g - luma) + (ng - changed - (g - luma)) * tint;
    let mb = y + (b - luma) + (nb - changed - (b - luma)) * tint;
    if (whole.length) {
      let own = 0;
      for (const [, share, plane] of whole) own = Math.max(own, (share * plane[p]) / 255);
      mr += (r - mr) * own;
      mg += (g - mg) * own;
      mb += (b - mb) * own;
    }
    if (mr < 0 || mg < 0 || mb < 0 || mr > 255 || mg > 255 || mb > 255) [mr, mg, mb] = inGamut(mr, mg, mb);
    out[i] = mr;
    out[i + 1] = mg;
    out[i + 2] = mb;
    out[i + 3] = 255;
  }
}

/** Colours outside give up chroma, and a little luma, as in the library. */
function inGamut(r, g, b) {
  const luma = LUMA[0] * r + LUMA[1] * g + LUMA[2] * b,
    inside = Math.min(255, Math.max(0, luma));
  const away = [r - luma, g - luma, b - luma];
  let share = 1;
  for (const x of away)
    share = Math.min(share, (x > 0 ? 255 - inside : inside) / Math.max(Math.abs(x), 2.55e-4));
  return away.map((x, k) => {
    const own = Math.min(255, Math.max(0, [r, g, b][k])),
      mapped = inside + x * share;
    return mapped + (own - mapped) * PURE;
  });
}
