// From the autoencoder to the FCN: three changes, and all that stays (L12, L13).
import { button, canvas, choice, controls, el, figure, number, svg } from "../ui/dom.js";
import { smallHourglass } from "../ui/handout-hourglass.js";
import { argmax, colourise, SERIES, show } from "../ui/draw.js";
import { count, sizes } from "../ui/counts.js";
import { maps } from "../network/predict.js";
import { newest } from "../ui/newest.js";
import { picker } from "../ui/picker.js";
import { randomNumbers } from "../network/network.js";

const VOID = 255;
const BACKGROUND = [40, 40, 48]; // of label maps, where a class has no colour
const STEPS = ["Autoencoder", "New last layer", "New target", "New loss: FCN"];

// The hourglass of fcn.models.cae: channels, and by how much each map is smaller than the picture.
const LAYERS = [
  { name: "conv1", channels: 16, stride: 2, kernel: 3 },
  { name: "conv2", channels: 32, stride: 4, kernel: 3 },
  { name: "conv3", channels: 64, stride: 8, kernel: 3 },
  { name: "up1", channels: 32, stride: 4, kernel: 4 },
  { name: "up2", channels: 16, stride: 2, kernel: 4 },
];
const LAST = { name: "output", stride: 1, kernel: 4 };

// A kernel for each pair of an input and an output channel, and a bias for each output channel.
const weightsOf = (kernel, from, to) => kernel * kernel * from * to + to;
const STAYING = LAYERS.reduce((sum, { kernel, channels }, i) =>
  sum + weightsOf(kernel, i ? LAYERS[i - 1].channels : 3, channels), 0);
const lastWeights = (channels) => weightsOf(LAST.kernel, LAYERS.at(-1).channels, channels);

// What each step says: whether output, target and loss go together.
const SAYS = [
  () => "Three colours come out, three colours are wanted: the squared difference tells how far off they are.",
  (classes) => `The last layer now has one channel for each of ${classes} classes. The target still has colours: scores and colours cannot be compared.`,
  () => "The target is now the class of every pixel. But class numbers are names, not amounts: their squared difference says nothing.",
  (classes) => `It compares a pixel’s ${classes} scores with its true class: `
    + `0 is certain and right, ${number(Math.log(classes))} (ln ${classes}) is guessing.`,
];

// --- the drawing of the layers

const SHARES = { 1: "full size", 2: "1/2", 4: "1/4", 8: "1/8" };
const MIDDLE = 104;
const words = (x, y, text, attributes = {}) => svg("text", { x, y, "text-anchor": "middle", ...attributes }, text);

// Blocks as wide as there are channels; true heights would leave nothing to see of the smallest.
const wide = (channels) => 8 + channels;
const tall = (stride) => 150 / stride ** 0.72;

// One layer as a block at x, and the arrow to the next one.
function block({ name, channels, stride }, x, gap) {
  const [across, down] = [wide(channels), tall(stride)];
  const centre = x + across / 2;
  const top = MIDDLE - down / 2;
  return svg("g", { "data-layer": name },
    svg("rect", { x, y: top, width: across, height: down, class: "block", rx: 2 }),
    words(centre, top - 8, String(channels), { class: "channels" }),
    words(centre, 204, name), words(centre, 224, SHARES[stride], { class: "quiet" }),
    gap && svg("path", {
      d: `M${x + across + 8} ${MIDDLE}h${gap - 16}m-7 -5l7 5l-7 5`, class: "arrow",
    }));
}

// The whole hourglass; change(channels, changed) draws its last layer anew.
function hourglass() {
  const stages = [{ name: "picture", channels: 3, stride: 1 }, ...LAYERS, { ...LAST, channels: 3 }];
  const sum = stages.reduce((total, { channels }) => total + wide(channels), 0);
  const gap = (860 - 80 - sum) / (stages.length - 1);
  let x = 40;
  const starts = stages.map(({ channels }) => {
    const start = x;
    x += wide(channels) + gap;
    return start;
  });
  const drawn = stages.map((stage, i) => block(stage, starts[i], i < stages.length - 1 && gap));
  drawn[0].classList.add("end");
  const [first, last] = [starts[1], starts[5] + wide(LAYERS[4].channels)];
  const stays = words((first + last) / 2, 262, "", { id: "stays", class: "same" });
  const changes = words(856, 262, "", { id: "changes", "text-anchor": "end", class: "changes" });
  const picture = svg("svg", { viewBox: "0 0 860 268", class: "hourglass", role: "img" },
    words(225, 14, "down: what is there", { class: "quiet" }), words(635, 14, "up: where it is", { class: "quiet" }),
    ...drawn, svg("path", { class: "brace", d: `M${first} 234v8H${last}v-8` }), stays, changes);
  const output = drawn.at(-1);
  const change = (channels, changed) => {
    const across = wide(channels);
    const rect = output.querySelector("rect");
    rect.setAttribute("x", starts.at(-1) + (wide(3) - across) / 2);
    rect.setAttribute("width", across);
    output.querySelector(".channels").textContent = String(channels);
    picture.classList.toggle("changed", changed);
    const [old, now] = [lastWeights(3), lastWeights(channels)];
    stays.textContent = changed
      ? `five layers stay: ${count(STAYING)} weights, trained further`
      : `five layers: ${count(STAYING)} weights`;
    changes.textContent = changed ? `${count(old)} → ${count(now)} weights` : `${count(old)} weights`;
    picture.setAttribute("aria-label", `Layers with ${[3, ...LAYERS.map(({ channels: n }) => n), channels].join(", ")} channels. `
      + `${stays.textContent}. The last layer: ${changes.textContent}.`);
  };
  return { picture, change };
}

// --- what is computed

// Mean squared difference of the colours.
function squared(image, { data }) {
  let sum = 0;
  for (let i = 0; i < data.length; i += 1) {
    const value = Math.min(255, Math.max(0, data[i]));
    sum += (value - image.data[4 * Math.floor(i / 3) + (i % 3)]) ** 2;
  }
  return sum / data.length;
}

// Mean cross-entropy of the pixels that have a true class. Some networks answer with probabilities
// already: those of every pixel sum to 1, which scores never do everywhere.
function crossEntropy({ data, channels }, labels) {
  const scoresOf = (i) => data.subarray(i * channels, (i + 1) * channels);
  const total = (values) => values.reduce((sum, value) => sum + value, 0);
  const known = [...labels.keys()].filter((i) => labels[i] !== VOID);
  const ready = known.every((i) => Math.abs(total(scoresOf(i)) - 1) < 1e-3);
  const surprise = (scores, label) => {
    if (ready) return -Math.log(Math.max(scores[label], 1e-7));
    const top = Math.max(...scores);
    return top + Math.log(total(scores.map((score) => Math.exp(score - top)))) - scores[label];
  };
  return known.reduce((sum, i) => sum + surprise(scoresOf(i), labels[i]), 0) / known.length;
}

// A label map in another size, by the nearest pixel.
function labelsIn({ labels, image }, { width, height }) {
  if (!labels || (image.width === width && image.height === height)) return labels;
  return Uint8Array.from({ length: width * height }, (_, i) => {
    const x = Math.floor((((i % width) + 0.5) * image.width) / width);
    const y = Math.floor(((Math.floor(i / width) + 0.5) * image.height) / height);
    return labels[y * image.width + x];
  });
}

const asImage = ({ data, height, width }) => {
  const image = new ImageData(width, height);
  for (let i = 0; i < height * width; i += 1) {
    image.data.set([data[3 * i], data[3 * i + 1], data[3 * i + 2], 255], 4 * i);
  }
  return image;
};

// What a last layer with random weights makes of the autoencoder's last map but one: noise.
function untrained(network, model, image, classes) {
  const { tf } = network;
  const { up2 } = maps(network, model, image, ["up2"]);
  const random = randomNumbers(12);
  const shape = [LAST.kernel, LAST.kernel, classes, up2.channels];
  const kernel = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => random() - 0.5);
  const data = tf.tidy(() => {
    const features = tf.tensor(up2.data, [1, up2.height, up2.width, up2.channels]);
    const whole = [1, 2 * up2.height, 2 * up2.width, classes];
    const scores = tf.conv2dTranspose(features, tf.tensor(kernel, shape), whole, 2, "same");
    return tf.slice(scores, [0, 0, 0, 0], [1, image.height, image.width, classes]).dataSync();
  });
  return argmax({ data, channels: classes });
}

// --- the screen

function build(stage, { page, say }) {
  let step = 0;
  let seen = null; // what was computed for the picture on the screen: { picture, image, … }
  const cae = page.contents.graph ? page.networks.cae : null;
  const result = page.contents.graph ? page.networks.result : null;
  const drawn = hourglass();
  const way = choice("Step", STEPS.map((name, i) => [i, `${i ? `${i} ` : ""}${name}`]), 0, go);
  const next = button("Next change", () => go(step + 1), { class: "main" });
  const loss = el("strong", { class: "read loss", id: "loss" });
  const says = el("span", { id: "says" });
  const input = canvas("The input", 1, 1, { class: "smooth", id: "from-input" });
  const output = canvas("The output", 1, 1, { class: "smooth", id: "from-output" });
  const target = canvas("The target", 1, 1, { id: "from-target" });
  const [inputIs, outputIs, targetIs] = [1, 2, 3].map(() => el("span", { class: "read" }));
  const noTarget = el("p", { class: "no-target" });
  const panels = el("div", { class: "panels targets" },
    figure(input, inputIs, { "data-panel": "input" }), figure(output, outputIs, { "data-panel": "output" }),
    figure(el("div", {}, target, noTarget), targetIs, { "data-panel": "target" }));
  const choices = picker(page, say);

  // Number of classes: those of the page's network, or else those of the picture.
  const classes = () => page.classes.length || seen?.picture.classes?.length || 2;
  const shades = () => page.colours.map((colour) => colour ?? BACKGROUND);
  const colours = () => (matches() ? shades() : [BACKGROUND, ...SERIES]);

  function go(to) {
    step = to;
    way.set(step);
    render();
    ask();
  }

  const isLast = () => step === STEPS.length - 1;
  // Steps 1 and 2 have the same network; the autoencoder's and the trained one are others.
  const kept = () => (step === 2 ? 1 : step);
  const model = () => (isLast() ? result : cae);

  const ask = newest(async (_, current) => {
    const picture = await page.picture();
    if (!current()) return;
    if (seen?.picture !== picture) {
      const image = page.fitting(picture.image);
      seen = { picture, image, labels: labelsIn(picture, image), outputs: [] };
      render();
    }
    if (!model() || seen.outputs[kept()]) return;
    output.classList.add("busy");
    const network = await page.network();
    if (!current()) return;
    seen.outputs[kept()] = computed(network);
    output.classList.remove("busy");
    render();
  }, (error) => {
    output.classList.remove("busy");
    say(error.message);
  });

  // The output at this step, { image, loss }.
  function computed(network) {
    const { image, labels } = seen;
    const painted = (found, palette) => colourise(found, image.width, image.height, palette);
    if (step === 0) {
      const made = maps(network, cae, image).output;
      return { image: asImage(made), loss: squared(image, made) };
    }
    if (!isLast()) return { image: painted(untrained(network, cae, image, classes()), [BACKGROUND, ...SERIES]) };
    const scores = maps(network, result, image).output;
    return {
      image: painted(argmax(scores), shades()),
      loss: labels && matches() ? crossEntropy(scores, labels) : undefined,
    };
  }

  // Whether a picture's labels are those of the network's classes.
  const matches = () => page.hasTruth(seen.picture);

  // Why nothing can be the target of the new output; "" if the labels can.
  function missing() {
    if (!seen.labels) return "None: nobody has labelled this picture.";
    if (matches() || !page.classes.length) return "";
    const named = (names) => names.join(" and ");
    return `None: its labels are ${named(seen.picture.classes ?? ["others"])}, `
      + `the output’s classes are ${named(page.classes.map(({ name }) => name))}.`;
  }

  function render() {
    const channels = step === 0 ? 3 : classes();
    drawn.change(channels, step > 0);
    says.textContent = SAYS[step](classes());
    next.disabled = step === STEPS.length - 1;
    if (seen) renderPictures(channels);
  }

  // Whose output the last step shows: the hourglass of the drawing was not trained with labels.
  function other() {
    const theirs = page.contents.layers.reduce((sum, { parameters }) => sum + parameters, 0);
    const than = theirs > STAYING + lastWeights(classes()) ? "larger" : "smaller";
    return `from another, ${than} network`;
  }

  function renderPictures(channels) {
    const { image, labels, picture } = seen;
    panels.style.setProperty("--aspect", image.width / image.height);
    show(input, image);
    inputIs.textContent = `Input: ${sizes(image.height, image.width, 3)}`;
    const made = seen.outputs[kept()];
    const blank = new ImageData(image.width, image.height);
    show(output, made?.image ?? blank);
    const what = !model() ? "not computed here" : step === 0 ? "colours" : isLast() ? other() : "untrained";
    outputIs.textContent = `Output: ${sizes(image.height, image.width, channels)}, ${what}`;
    const wantsLabels = step >= 2;
    const why = wantsLabels ? missing() : "";
    const { labelled } = page;
    const offered = labelled ? [button("Show a labelled picture", () => page.choose(labelled))] : [];
    noTarget.replaceChildren(el("span", {}, why), ...offered);
    noTarget.hidden = !why;
    target.hidden = !noTarget.hidden;
    if (!target.hidden) {
      show(target, wantsLabels ? colourise(labels, image.width, image.height, colours()) : image);
    }
    targetIs.textContent = !wantsLabels ? "Target: the input itself" : target.hidden
      ? "Target" : `Target: ${picture.classes?.join(" or ") ?? "a class"} at each pixel`;
    renderLoss(made);
  }

  function renderLoss(made) {
    const value = made?.loss;
    const broken = step === 1 || step === 2;
    const absent = isLast() && seen && missing() ? " needs a target" : "";
    const told = broken ? ", does not fit" : value === undefined ? absent : ` ${number(value, isLast() ? 3 : 1)}`;
    loss.textContent = `Loss${isLast() && value !== undefined ? " of that network" : ""}: ${isLast() ? "cross-entropy" : "mean squared error"}${told}.`;
    loss.dataset.value = value ?? "";
    loss.classList.toggle("other", isLast());
    loss.classList.toggle("broken", broken);
    for (const [name, from] of [["output", 1], ["target", 2]]) {
      panels.querySelector(`[data-panel="${name}"]`).classList.toggle("other", step >= from);
    }
  }

  stage.append(
    controls(way, next), drawn.picture,
    el("p", { class: "says", "aria-live": "polite" }, loss, " ", says), panels, choices,
  );
  const changed = () => ask();
  page.addEventListener("picture", changed);
  render();
  ask();
  return {
    stop() {
      ask.stop();
      choices.stop();
      page.removeEventListener("picture", changed);
    },
  };
}

const drawing = () => smallHourglass(6, [[90, "all of this stays"], [200, "3 → classes"]]);

export default {
  id: "from-cae",
  title: "From CAE to FCN",
  claims: ["L12", "L13"],
  minutes: 4,
  question: {
    ask: "How many of its six layers must a convolutional autoencoder (CAE) exchange to become a fully convolutional network (FCN)?",
    answers: ["All six", "The three on the way up", "The last one"],
    right: 2,
    because: "It alone fixes how many channels come out. Target and loss change too, but are no layers.",
  },
  todo: "Make the three changes. After each: do output, target and loss fit together?",
  sentence: "A CAE becomes an FCN by three changes: channels of the last layer, target and loss.",
  notes: [
    "Ask before each step what does not fit yet. After the first change the output has classes, but the target still has colours.",
    "Count the weights: of more than 65,000, fewer than a thousand are in the last layer. They start anew; the others may start from the autoencoder’s. They too are trained on: what stays is the layers, not their values.",
    "The way down finds what is there, the way up puts it back in its place. That holds for both networks.",
    "The last output comes from the page’s own trained network: another encoder, far more weights, the same form. Say so; the drawn one was never trained with labels.",
    "A usual misconception: the latent map of a segmentation network holds the classes. It holds features; classes appear in the last layer alone.",
  ],
  drawing,
  build,
};
