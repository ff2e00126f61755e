// A network in the page: reads the flat file and computes what is asked for.
import { OPERATIONS } from "./operations.js";

// Every number that 16 bits can hold: a table is faster than arithmetic.
let halves = null;
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return exponent
    ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024)
    : sign * 2 ** -14 * (fraction / 1024);
}

// The same numbers from the same seed, between 0 and 1 (mulberry32).
export function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

// Keras' he_normal: a normal distribution cut off at two standard deviations.
function truncatedNormal(count, stddev, random) {
  const cut = 0.8796256610342398; // what cutting leaves of the standard deviation
  return Float32Array.from({ length: count }, () => {
    for (;;) {
      const z = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
      if (Math.abs(z) <= 2) return (z * stddev) / cut;
    }
  });
}

export class Network {
  // graph: what flat.py's Graph.as_dict() gives; bytes: its flat file.
  constructor(tf, graph, bytes) {
    this.tf = tf;
    this.operations = graph.operations;
    this.weights = graph.weights;
    this.models = graph.models;
    this.bytes = bytes;
    this.kept = new Map();
  }

  // An array of the file as numbers.
  numbers({ shape, type, offset, stddev }, seed = 0) {
    const count = shape.reduce((product, side) => product * side, 1);
    if (type === undefined) return truncatedNormal(count, stddev, randomNumbers(seed + 1));
    const start = this.bytes.byteOffset + offset;
    if (type === "float32") return new Float32Array(this.bytes.buffer, start, count);
    halves ??= Float32Array.from({ length: 65536 }, (_, bits) => half(bits));
    return Float32Array.from(new Uint16Array(this.bytes.buffer, start, count), (bits) => halves[bits]);
  }

  // A weight as a tensor, made when it is first used.
  weight(number) {
    if (!this.kept.has(number)) {
      const entry = this.weights[number];
      const tensor = this.tf.tensor(this.numbers(entry, number), entry.shape);
      this.kept.set(number, this.tf.keep(tensor)); // it outlives the computation that first wants it
    }
    return this.kept.get(number);
  }

  has(model) {
    return model in this.models;
  }

  // Name of a layer of a model → number of its operation.
  number(model, layer) {
    const found = this.models[model]?.[layer];
    if (found === undefined) throw new Error(`${model} has no layer ${layer}`);
    return found;
  }

  // Computes maps of a model.
  //   wanted: names of layers, such as ["pool3", "output"]
  //   given:  {name of a layer: tensor}, at least the image (1, H, W, C); a map that is given is not
  //           computed, and neither is what leads to it
  //   weight: instead of the file's weights, such as those that are being trained: a function of
  //           the array's number in the file, of the operation's number and of the array's place
  //           there. Equal arrays are one in the file, such as the biases of two layers.
  // Returns {name: tensor}; the caller disposes of them.
  run(model, wanted, given, weight = (number) => this.weight(number)) {
    const { tf } = this;
    const known = new Map(Object.entries(given).map(([name, x]) => [this.number(model, name), x]));
    const compute = (number) => {
      if (known.has(number)) return known.get(number);
      const { kind, inputs, weights = [], ...options } = this.operations[number];
      const y = OPERATIONS[kind](tf, inputs.map(compute), options,
        weights.map((array, place) => weight(array, number, place)));
      known.set(number, y);
      return y;
    };
    return tf.tidy(() =>
      Object.fromEntries(wanted.map((name) => [name, compute(this.number(model, name))])));
  }

  // Where the frozen part ends: the operations behind it, and what they read of it, by name.
  border(model) {
    const layers = Object.entries(this.models[model]);
    const behind = new Set();
    const names = new Map(layers.map(([name, number]) => [number, name]).reverse());
    const numbers = [...new Set(layers.map(([, number]) => number))].sort((a, b) => a - b);
    for (const number of numbers) {
      const { inputs, trained } = this.operations[number];
      if (trained || inputs.some((read) => behind.has(read))) behind.add(number);
    }
    const read = [...behind].flatMap((number) => this.operations[number].inputs);
    const border = [...new Set(read)].filter((number) => !behind.has(number));
    return { behind: [...behind], features: border.map((number) => names.get(number)) };
  }
}
