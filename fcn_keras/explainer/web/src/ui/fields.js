// Which position of a map lies above a pixel, and what it sees.

// The positions of a map along one axis above each pixel of the picture: Int32Array. A map that
// divides the picture evenly is divided; otherwise the position counts whose field has its centre
// nearest to the pixel.
export function positionsAbove(field, size, pixels) {
  const stride = field ? field.stride : pixels / size;
  if (!field || Math.ceil(pixels / stride) === size) {
    return Int32Array.from({ length: pixels }, (_, x) => Math.min(size - 1, Math.floor(x / stride)));
  }
  const centres = Array.from({ length: size }, (_, i) => {
    const window = field.pixels(i);
    return window ? (window[0] + window[1]) / 2 : Infinity;
  });
  return Int32Array.from({ length: pixels }, (_, x) => {
    let best = 0;
    for (let i = 1; i < size; i += 1) {
      if (Math.abs(centres[i] - x) < Math.abs(centres[best] - x)) best = i;
    }
    return best;
  });
}

// What a position sees along one axis: [first, last] pixel, which may lie outside; null: nothing.
export const seenBy = (field, position, pixels) => (field ? field.pixels(position) : [0, pixels - 1]);

// How much of a rectangle of pixels lies outside the picture: 0 to 1.
export function outside([top, bottom], [left, right], height, width) {
  const inside = (first, last, size) => Math.max(0, Math.min(size - 1, last) - Math.max(0, first) + 1);
  const seen = inside(top, bottom, height) * inside(left, right, width);
  return 1 - seen / ((bottom - top + 1) * (right - left + 1));
}
