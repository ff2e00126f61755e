// Training in the page: a new head behind the frozen encoder, as `fcn_keras.training.fit` trains it.
import { mapOf, tensorOf } from "./predict.js";

export const VOID = 255;
const [BETA1, BETA2, EPSILON] = [0.9, 0.999, 1e-7]; // as in Keras' Adam
const PLACES = ["kernel", "bias"]; // the order in which a layer's arrays lie in the file

// Softmax cross-entropy, its mean over the painted pixels, and its gradient at the scores. Only
// those pixels are visited: a few strokes are a hundredth of the picture.
//   scores: { data, channels }; labels: a class number for each pixel, or VOID
export function crossEntropy({ data, channels }, labels) {
  const gradient = new Float32Array(data.length);
  let sum = 0;
  let count = 0;
  for (let p = 0; p < labels.length; p += 1) {
    if (labels[p] === VOID) continue;
    const at = p * channels;
    let top = data[at];
    for (let c = 1; c < channels; c += 1) top = Math.max(top, data[at + c]);
    let powers = 0;
    for (let c = 0; c < channels; c += 1) powers += Math.exp(data[at + c] - top);
    for (let c = 0; c < channels; c += 1) gradient[at + c] = Math.exp(data[at + c] - top) / powers;
    gradient[at + labels[p]] -= 1;
    sum += Math.log(powers) + top - data[at + labels[p]];
    count += 1;
  }
  for (let p = 0; p < labels.length; p += 1) {
    if (labels[p] === VOID) continue;
    for (let c = 0; c < channels; c += 1) gradient[p * channels + c] /= count;
  }
  return { loss: count ? sum / count : 0, gradient };
}

// Which axes of a layer's arrays count classes: of a score the last, of an upscore (height, width,
// out, in) the last two.
function classAxes(layer, shape) {
  if (layer.startsWith("score")) return [shape.length - 1];
  return layer.startsWith("upscore") ? [2, 3] : [];
}

// The head's weights of a network with more classes: the first of them.
function forClasses(layer, shape, classes) {
  const axes = classAxes(layer, shape);
  return shape.map((side, axis) => (axes.includes(axis) ? classes : side));
}

// Where number i of an array of this shape lies, along each axis.
function placeOf(i, shape) {
  const place = [];
  for (let axis = shape.length - 1, rest = i; axis >= 0; axis -= 1) {
    place[axis] = rest % shape[axis];
    rest = Math.floor(rest / shape[axis]);
  }
  return place;
}
const indexOf = (place, shape) => place.reduce((index, at, axis) => index * shape[axis] + at, 0);

// The first numbers along each axis of an array.
function cut(data, shape, kept) {
  const count = kept.reduce((product, side) => product * side, 1);
  if (count === data.length) return Float32Array.from(data);
  return Float32Array.from({ length: count }, (_, i) => data[indexOf(placeOf(i, kept), shape)]);
}

export class Head {
  // The head of a model of the page for some number of classes, its random weights drawn anew.
  constructor(network, model, classes, seed = 0) {
    Object.assign(this, { network, model, classes, features: {}, weights: [], variables: new Map() });
    const { behind, features } = network.border(model);
    this.reads = features;
    for (const [layer, number] of Object.entries(network.models[model])) {
      const operation = network.operations[number];
      if (!operation.trained || !behind.includes(number)) continue;
      operation.weights.forEach((array, place) => {
        const entry = network.weights[array];
        const shape = forClasses(layer, entry.shape, classes);
        // Two layers may share an entry of the file, but not their random numbers.
        const data = cut(network.numbers(entry, 1000 * seed + 2 * number + place), entry.shape, shape);
        this.#add(`${layer}/${PLACES[place]}`, `${number}/${place}`, shape, data);
      });
    }
    this.begin(1, 0);
  }

  #add(name, key, shape, data) {
    const { tf } = this.network;
    const first = tf.tensor(data.slice(), shape);
    const variable = tf.variable(first);
    first.dispose();
    this.weights.push({ name, shape, data, variable });
    this.variables.set(key, variable);
  }

  // Computes what the head reads of a picture, once: the encoder is frozen.
  look(image) {
    const { tf } = this.network;
    this.#forget();
    const given = { image: tensorOf(tf, image) };
    const found = this.network.run(this.model, this.reads, given);
    if (!this.reads.includes("image")) given.image.dispose();
    this.features = found;
  }

  #forget() {
    Object.values(this.features).forEach((tensor) => tensor.dispose());
    this.features = {};
  }

  #run() {
    const weight = (array, number, place) => this.variables.get(`${number}/${place}`);
    return this.network.run(this.model, ["output"], this.features, weight).output;
  }

  // The scores at every pixel, { data, height, width, channels }.
  scores() {
    const output = this.#run();
    const found = mapOf(output);
    output.dispose();
    return found;
  }

  // The loss, the scores, and the gradient of every weight: { loss, scores, gradients: {name: array} }.
  gradients(labels) {
    const { tf } = this.network;
    let [loss, scores] = [0, null];
    const variables = this.weights.map(({ variable }) => variable);
    const { value, grads } = tf.variableGrads(() => {
      const output = this.#run();
      scores = mapOf(output);
      const found = crossEntropy(scores, labels);
      loss = found.loss;
      // The gradient at the scores is known. This sum has it too, so that the rest follows from it.
      return tf.sum(tf.mul(output, tf.tensor(found.gradient, output.shape)));
    }, variables);
    value.dispose();
    const gradients = {};
    for (const { name, variable } of this.weights) {
      gradients[name] = grads[variable.name].dataSync();
      grads[variable.name].dispose();
    }
    return { loss, scores, gradients };
  }

  // Begins a training of so many steps, whose learning rate falls along a cosine.
  begin(steps, rate) {
    Object.assign(this, { steps, rate, done: 0 });
    this.moments = this.weights.map(({ data }) => [0, 1].map(() => new Float32Array(data.length)));
  }

  // One step of Adam. Returns { loss, scores } of the weights before it.
  step(labels) {
    const { loss, scores, gradients } = this.gradients(labels);
    const rate = (this.rate * (1 + Math.cos((Math.PI * this.done) / this.steps))) / 2;
    this.done += 1;
    const factor = (rate * Math.sqrt(1 - BETA2 ** this.done)) / (1 - BETA1 ** this.done);
    this.weights.forEach(({ name, data }, number) => {
      const gradient = gradients[name];
      const [mean, square] = this.moments[number];
      for (let i = 0; i < data.length; i += 1) {
        mean[i] += (1 - BETA1) * (gradient[i] - mean[i]);
        square[i] += (1 - BETA2) * (gradient[i] * gradient[i] - square[i]);
        data[i] -= (factor * mean[i]) / (Math.sqrt(square[i]) + EPSILON);
      }
    });
    this.#assign();
    return { loss, scores };
  }

  #assign() {
    const { tf } = this.network;
    for (const { variable, data, shape } of this.weights) {
      const next = tf.tensor(data.slice(), shape);
      variable.assign(next);
      next.dispose();
    }
  }

  // Its weights as numbers: [{ name, shape, data }].
  numbers() {
    return this.weights.map(({ name, shape, data }) => ({ name, shape, data: data.slice() }));
  }

  // Takes weights that `numbers` gave; also those of a head with other classes. Then `was` holds for
  // each class its number there, or -1 for a class that it did not have, which begins untrained.
  take(numbers, was = null) {
    numbers.forEach(({ shape, data }, number) => {
      const mine = this.weights[number];
      const axes = was ? classAxes(mine.name, mine.shape) : [];
      if (!axes.length) {
        mine.data.set(data);
        return;
      }
      mine.data.forEach((_, i) => {
        const place = placeOf(i, mine.shape);
        for (const axis of axes) place[axis] = was[place[axis]];
        if (!place.includes(-1)) mine.data[i] = data[indexOf(place, shape)];
      });
    });
    this.#assign();
  }

  dispose() {
    this.#forget();
    this.weights.forEach(({ variable }) => variable.dispose());
  }
}
