// How well labels agree with the truth.

const VOID = 255;

// Pixel accuracy and the IoU of each class. Pixels that are void in the truth are not counted; a
// label that is none of the classes is a mistake.
// Returns { accuracy, iou: [a number, or null for a class that neither map has] }.
export function scoresOf(found, truth, classes) {
  const count = () => new Float64Array(classes);
  const [both, either] = [count(), count()];
  let [right, all] = [0, 0];
  for (let i = 0; i < truth.length; i += 1) {
    if (truth[i] === VOID) continue;
    all += 1;
    either[truth[i]] += 1;
    if (found[i] === truth[i]) {
      right += 1;
      both[truth[i]] += 1;
    } else if (found[i] < classes) {
      either[found[i]] += 1;
    }
  }
  return {
    accuracy: all ? right / all : null,
    iou: Array.from(both, (pixels, k) => (either[k] ? pixels / either[k] : null)),
  };
}

// Intersection over union of one class; null where the class is in neither.
export const iou = (found, truth, number) => scoresOf(found, truth, number + 1).iou[number];

// The pixels at most `reach` away from an edge between two classes: Uint8Array of 0 and 1. The edge
// itself is 1 away; every further pixel adds a ring of 8 neighbours, as evaluation.boundary_band does.
export function edgeBand(labels, width, height, reach) {
  const edge = new Uint8Array(labels.length);
  const compare = (i, j) => {
    if (labels[i] !== labels[j] && labels[i] !== VOID && labels[j] !== VOID) edge[i] = edge[j] = 1;
  };
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) {
      const i = y * width + x;
      if (x + 1 < width) compare(i, i + 1);
      if (y + 1 < height) compare(i, i + width);
    }
  }
  const band = new Uint8Array(labels.length);
  const far = reach - 1;
  for (let i = 0; i < edge.length; i += 1) {
    if (!edge[i]) continue;
    const [x, y] = [i % width, Math.floor(i / width)];
    for (let row = Math.max(0, y - far); row <= Math.min(height - 1, y + far); row += 1) {
      const [first, last] = [Math.max(0, x - far), Math.min(width - 1, x + far)];
      band.fill(1, row * width + first, row * width + last + 1);
    }
  }
  return band.map((inside, i) => (labels[i] === VOID ? 0 : inside));
}

// Share of the pixels in a band whose label is wrong; null where the band is empty.
export function wrongIn(band, found, truth) {
  let wrong = 0;
  let all = 0;
  for (let i = 0; i < band.length; i += 1) {
    if (!band[i]) continue;
    all += 1;
    if (found[i] !== truth[i]) wrong += 1;
  }
  return all ? wrong / all : null;
}
