// What chapters ask a network, in pictures and plain arrays instead of tensors.

// ImageData → tensor (1, H, W, 3), 0–255.
export function tensorOf(tf, image) {
  const count = image.width * image.height;
  const rgb = new Float32Array(3 * count);
  for (let i = 0; i < count; i += 1) {
    for (let c = 0; c < 3; c += 1) rgb[3 * i + c] = image.data[4 * i + c];
  }
  return tf.tensor(rgb, [1, image.height, image.width, 3]);
}

// Tensor (1, H, W, C) → { data, height, width, channels }.
export function mapOf(tensor) {
  const [, height, width, channels] = tensor.shape;
  return { data: tensor.dataSync(), height, width, channels };
}

// Maps of a network for a picture: maps(network, "lecture", image, ["pool3", "output"]).
//   change: { layer: (map tensor, tf) => tensor } replaces what a layer computed, such as with zeros
// Returns { layer: { data, height, width, channels } }.
export function maps(network, model, image, wanted = ["output"], change = {}) {
  const { tf } = network;
  const made = [];
  const keep = (tensors) => { made.push(...Object.values(tensors)); return tensors; };
  try {
    const given = { image: tensorOf(tf, image) };
    made.push(given.image);
    const changed = Object.keys(change);
    if (changed.length) {
      const before = keep(network.run(model, changed, given));
      for (const layer of changed) {
        given[layer] = tf.tidy(() => change[layer](before[layer], tf));
        made.push(given[layer]);
      }
    }
    const found = keep(network.run(model, wanted, given));
    return Object.fromEntries(Object.entries(found).map(([name, x]) => [name, mapOf(x)]));
  } finally {
    new Set(made).forEach((tensor) => tensor.dispose());
  }
}
