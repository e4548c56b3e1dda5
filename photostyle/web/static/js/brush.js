// What tools do to an index of regions: discs along a line, areas, superpixels. No page in here.

/** Paints discs from a to b; `write(i)` gives a pixel's new value, -1 for as it is. Grows the box. */
export function stroke(ids, [width, height], from, to, radius, write, box) {
  const steps = Math.max(
    1,
    Math.ceil(Math.hypot(to[0] - from[0], to[1] - from[1]) / Math.max(1, radius / 2)),
  );
  for (let k = 0; k <= steps; k++) {
    const x = from[0] + ((to[0] - from[0]) * k) / steps,
      y = from[1] + ((to[1] - from[1]) * k) / steps;
    disc(ids, [width, height], x, y, radius, write, box);
  }
}

function disc(ids, [width, height], x, y, radius, write, box) {
  const top = Math.max(0, Math.ceil(y - radius - 0.5)),
    bottom = Math.min(height - 1, Math.floor(y + radius - 0.5));
  for (let row = top; row <= bottom; row++) {
    const dy = row + 0.5 - y,
      half = Math.sqrt(Math.max(0, radius * radius - dy * dy));
    const left = Math.max(0, Math.ceil(x - half - 0.5)),
      right = Math.min(width - 1, Math.floor(x + half - 0.5));
    if (left > right) continue;
    for (let column = left; column <= right; column++) {
      const i = row * width + column,
        value = write(i);
      if (value >= 0) ids[i] = value;
    }
    grow(box, left, row, right, row);
  }
}

export function grow(box, left, top, right, bottom) {
  box[0] = Math.min(box[0], left);
  box[1] = Math.min(box[1], top);
  box[2] = Math.max(box[2], right);
  box[3] = Math.max(box[3], bottom);
}

export const emptyBox = () => [Infinity, Infinity, -1, -1];
export const asBox = ([left, top, right, bottom]) =>
  right < left ? null : [left, top, right - left + 1, bottom - top + 1];

/** The superpixels that the inner half of a brush touches. */
export function piecesUnder(pieces, [width, height], x, y, radius) {
  const found = new Set(),
    inner = Math.max(0.5, radius / 2),
    step = Math.max(1, Math.floor(inner / 8));
  for (let dy = -inner; dy <= inner; dy += step)
    for (let dx = -inner; dx <= inner; dx += step) {
      if (dx * dx + dy * dy > inner * inner) continue;
      const column = Math.floor(x + dx),
        row = Math.floor(y + dy);
      if (column >= 0 && row >= 0 && column < width && row < height) found.add(pieces[row * width + column]);
    }
  return found;
}

/** Fills the area around a pixel in which `same` says alike, by rows (scanline flood fill). */
export function flood(ids, [width, height], x, y, value, box) {
  const start = y * width + x,
    own = ids[start];
  if (own === value) return;
  const stack = [start];
  while (stack.length) {
    const i = stack.pop();
    if (ids[i] !== own) continue;
    const row = Math.floor(i / width),
      first = row * width;
    let left = i,
      right = i;
    while (left > first && ids[left - 1] === own) left--;
    while (right < first + width - 1 && ids[right + 1] === own) right++;
    ids.fill(value, left, right + 1);
    grow(box, left - first, row, right - first, row);
    for (const next of [row - 1, row + 1]) {
      if (next < 0 || next >= height) continue;
      let inside = false;
      for (let j = next * width + left - first; j <= next * width + right - first; j++) {
        if (ids[j] === own) {
          if (!inside) stack.push(j);
          inside = true;
        } else inside = false;
      }
    }
  }
}
