// A region that goes: where its pixels go to. A plane is an index of a region for every pixel.

/** The plane with region `k` made `into`; the regions after it move up. */
export function merged(plane, k, into) {
  return plane.map(v => {
    const found = v === k ? into : v;
    return found > k ? found - 1 : found;
  });
}

/** The plane without region `k`: each of its pixels becomes what lies nearest to it, and `rest`
 *  where the picture has no other region; the regions after it move up. */
export function without(plane, width, k, rest) {
  const found = plane.slice(),
    waiting = new Int32Array(plane.reduce((n, v) => n + (v === k), 0));
  let end = 0;
  const put = (i, region) => {
    found[i] = region;
    waiting[end++] = i;
  };
  for (let i = 0; i < plane.length; i++) {
    const region = plane[i] === k ? beside(plane, width, i, k) : k;
    if (region !== k) put(i, region);
  }
  for (let at = 0; at < end; at++) {
    const i = waiting[at],
      x = i % width;
    if (x > 0 && found[i - 1] === k) put(i - 1, found[i]);
    if (x < width - 1 && found[i + 1] === k) put(i + 1, found[i]);
    if (i >= width && found[i - width] === k) put(i - width, found[i]);
    if (found[i + width] === k) put(i + width, found[i]);
  }
  return merged(found, k, rest);
}

/** Another region than `k` at a side of a pixel; `k` where there is none. */
function beside(plane, width, i, k) {
  const x = i % width;
  if (x > 0 && plane[i - 1] !== k) return plane[i - 1];
  if (x < width - 1 && plane[i + 1] !== k) return plane[i + 1];
  if (i >= width && plane[i - width] !== k) return plane[i - width];
  return plane[i + width] ?? k;
}
