// From numbers to pixels on a canvas. Pictures are ImageData; maps are { data, height, width }.

// Colours for what a network missed, invented and found, which colour-blind readers can tell apart.
export const MISTAKES = { found: [0, 114, 178], missed: [213, 94, 0], invented: [204, 121, 167] };
// Okabe and Ito's colours, for lines and classes without a colour of their own.
export const SERIES = [
  [0, 114, 178], [213, 94, 0], [0, 158, 115], [204, 121, 167], [230, 159, 0], [86, 180, 233],
];

export const css = ([r, g, b], alpha = 1) => `rgb(${r} ${g} ${b} / ${alpha})`;

// Shows ImageData on a canvas, whose own size becomes that of the picture.
export function show(canvas, image) {
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas;
}

// A picture with classes painted over it.
//   labels: Uint8Array, height × width; colours: one [r, g, b] a class, or null for none
export function overlay(image, labels, colours, alpha = 0.5) {
  const out = new ImageData(new Uint8ClampedArray(image.data), image.width, image.height);
  for (let i = 0; i < labels.length; i += 1) {
    const colour = colours[labels[i]];
    if (!colour) continue;
    for (let c = 0; c < 3; c += 1) {
      out.data[4 * i + c] = (1 - alpha) * out.data[4 * i + c] + alpha * colour[c];
    }
  }
  return out;
}

// A label map in its classes' colours; void (255) is grey.
export function colourise(labels, width, height, colours) {
  const out = new ImageData(width, height);
  for (let i = 0; i < labels.length; i += 1) {
    out.data.set([...(colours[labels[i]] ?? [128, 128, 128]), 255], 4 * i);
  }
  return out;
}

// What was found, missed and invented of one class, over the picture.
export function mistakes(image, found, truth, number = 1, alpha = 0.55) {
  const kinds = Uint8Array.from(found, (label, i) => {
    if (truth[i] === 255) return 0;
    const [is, was] = [label === number, truth[i] === number];
    return is && was ? 1 : was ? 2 : is ? 3 : 0;
  });
  const { found: right, missed, invented } = MISTAKES;
  return overlay(image, kinds, [null, right, missed, invented], alpha);
}

// One colour for negative, one for positive (blue and orange, unless told), the page's paper at 0;
// `limit` is the strongest colour.
export function diverging(map, limit, [negative, positive] = [[0, 90, 181], [220, 90, 0]]) {
  const out = new ImageData(map.width, map.height);
  for (let i = 0; i < map.data.length; i += 1) {
    const t = Math.max(-1, Math.min(1, map.data[i] / (limit || 1)));
    const end = t < 0 ? negative : positive;
    const colour = end.map((value) => 250 + (value - 250) * Math.abs(t));
    out.data.set([...colour, 255], 4 * i);
  }
  return out;
}

// Dark to light (a map of activations); values from `low` to `high`.
export function sequential(map, low = Math.min(...map.data), high = Math.max(...map.data)) {
  const stops = [[13, 22, 48], [32, 76, 130], [60, 150, 150], [150, 208, 120], [252, 245, 180]];
  const out = new ImageData(map.width, map.height);
  const range = high - low || 1;
  for (let i = 0; i < map.data.length; i += 1) {
    const t = Math.max(0, Math.min(1, (map.data[i] - low) / range)) * (stops.length - 1);
    const k = Math.min(stops.length - 2, Math.floor(t));
    const colour = stops[k].map((value, c) => value + (stops[k + 1][c] - value) * (t - k));
    out.data.set([...colour, 255], 4 * i);
  }
  return out;
}

// One channel of a map (H, W, C) as { data, height, width }.
export function channelOf({ data, height, width, channels }, channel) {
  const one = new Float32Array(height * width);
  for (let i = 0; i < one.length; i += 1) one[i] = data[i * channels + channel];
  return { data: one, height, width };
}

// The class with the highest score at every pixel: Uint8Array, height × width.
export function argmax({ data, channels }, classes = channels) {
  const labels = new Uint8Array(data.length / channels);
  for (let i = 0; i < labels.length; i += 1) {
    let best = 0;
    for (let c = 1; c < classes; c += 1) {
      if (data[i * channels + c] > data[i * channels + best]) best = c;
    }
    labels[i] = best;
  }
  return labels;
}

// Probabilities of some scores.
export function softmax(scores) {
  const top = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - top));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

// Where on a canvas somebody points, in the canvas' own pixels: { x, y }, whole numbers.
export function pointed(canvas, event) {
  const box = canvas.getBoundingClientRect();
  const place = (at, start, size, pixels) =>
    Math.max(0, Math.min(pixels - 1, Math.floor(((at - start) / size) * pixels)));
  return {
    x: place(event.clientX, box.left, box.width, canvas.width),
    y: place(event.clientY, box.top, box.height, canvas.height),
  };
}
