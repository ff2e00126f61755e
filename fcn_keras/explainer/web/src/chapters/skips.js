// Skip connections: finer maps say where the edge runs; one prediction taken apart (L18–L21).
import { button, canvas, choice, controls, el, figure, newId, number, percent, svg, toggle } from "../ui/dom.js";
import { MISTAKES, argmax, css, diverging, mistakes, overlay, show } from "../ui/draw.js";
import { frame } from "../ui/frame.js";
import { looked } from "../ui/looked.js";
import { newest } from "../ui/newest.js";
import { picker } from "../ui/picker.js";
import { edgeBand, iou, wrongIn } from "../ui/scores.js";
import { mapOf, tensorOf } from "../network/predict.js";

const REACH = 4; // pixels on both sides of the edge
// The levels of a prediction, from coarse to fine; the last two are the skips.
const LEVELS = ["score_fr", "score_pool4", "score_pool3"];
// Colours of the score maps, unlike those of the mistakes: purple against the object, green for it.
const ENDS = [
  [118, 42, 131],
  [0, 125, 60],
];
const ORIGINS = { score_fr: "pool5's scores", score_pool4: "pool4's scores", score_pool3: "pool3's scores" };
const SKIPS = { pool4: "score_pool4", pool3: "score_pool3" };

export default {
  id: "skips",
  title: "Skip connections",
  claims: ["L18", "L19", "L20", "L21"],
  minutes: 6,
  question: {
    ask: "Switch off both skip connections of the trained network with stride 8. What is left?",
    answers: ["Nothing: it needs them", "The object, with a coarse edge", "Only the object's edge"],
    right: 1,
    because:
      "The deepest map is left. It knows what is there, but with one position for 32 × 32 pixels only " +
      "roughly where.",
  },
  todo:
    "Compare the networks, stride 32 first. Then choose 8 and switch its skips off: watch the edge.",
  sentence: "The deepest level says what, the skips from finer maps say where; the prediction is their sum.",
  notes: [
    "A skip bypasses layers: a 1 × 1 convolution scores pool4 or pool3, and its scores are added to " +
      "the coarse ones.",
    "Count only pixels near the edge: over the whole picture the difference hides behind easy pixels.",
    "The shares add up exactly because everything behind the score layers is linear and has no bias.",
    "Usual misconception: “skips add new objects.” They mostly move the edge; what is there was " +
      "decided below.",
    "The stride-32 network was trained on its own; it is not the stride-8 network with its skips off. That " +
      "one was trained to rely on its skips, and is often the worse of the two.",
    "Single scenes differ: on some, stride 16 has the higher IoU. The mean over many scenes, and the edge, decide.",
  ],
  drawing,
  build,
};

function build(stage, { page, say }) {
  const failed = (error) => say(error.message);
  const { contents } = page;
  const strides = Object.keys(page.networks.strides).sort((a, b) => b - a);
  const state = { stride: strides[0], pool4: true, pool3: true };
  let seen = null;
  let run = null; // what has been computed for the picture

  const number = page.object;
  const name = page.classes[number].name;
  const pick = choice(strides.length > 1 ? "Network of stride" : "Stride", strides, state.stride, (stride) => {
    state.stride = stride;
    change();
  });
  const switches = Object.keys(SKIPS).map((pool) =>
    toggle(`skip from ${pool}`, true, (on) => {
      state[pool] = on;
      change();
    }),
  );
  const picture = canvas("The picture with what the network found", 1, 1, { id: "skips-picture" });
  const close = canvas("A part of the edge, enlarged", 1, 1, { id: "skips-close" });
  const enlarged = figure(close, "");
  const cutting = svg("rect", { class: "frame" });
  const marks = svg("svg", { "aria-hidden": "true" }, cutting);
  const box = el("div", { class: "skips-picture" }, picture, marks);
  const read = el("p", { class: "read", id: "skips-read", role: "status", "aria-live": "polite" });
  const legend = el("p", { class: "skips-legend" });
  const table = tableOf(strides);
  const about = el("p", { class: "quiet" }, meaning(strides));
  const shares = sharesOf(name, page.classes[otherThan(number, page.classes.length)].name);
  const scene = page.labelled;
  const row = picker(page, say);
  stage.append(
    row,
    el("div", {}, controls(pick, ...switches), about),
    el("div", { class: "skips-views" }, box, enlarged),
    el("div", { class: "skips-say" }, el("div", {}, legend, read), table.box),
    shares.box,
  );

  const update = newest(async (_, still) => {
    const next = await looked(page);
    if (!still()) return;
    run?.free();
    run = null;
    seen = next;
    table.clear();
    marks.setAttribute("viewBox", `0 0 ${seen.image.width} ${seen.image.height}`);
    show(picture, seen.image);
    stage.classList.add("skips-busy");
    const network = await page.network();
    if (!still()) return;
    await frame();
    if (!still()) return;
    run = new Prediction(network, page.networks.strides, seen, number);
    render();
    await table.fill(run, still);
  }, failed);
  const change = newest(async () => {
    enable();
    if (run) render();
  }, failed);

  // A network has only some of the skips; the others are off, and cannot be switched.
  function enable() {
    const model = contents.graph.models[page.networks.strides[state.stride]];
    Object.entries(SKIPS).forEach(([pool, layer], i) => {
      switches[i].querySelector("input").disabled = !(layer in model);
      switches[i].set(layer in model && state[pool]);
    });
  }
  function render() {
    stage.classList.remove("skips-busy");
    const off = Object.entries(SKIPS)
      .filter(([pool]) => !state[pool])
      .map(([, layer]) => layer);
    const result = run.result(state.stride, off);
    draw(result);
    table.current(result);
    shares.show(run, result);
  }

  function draw(result) {
    const { image, labels } = seen;
    const whole = labels
      ? mistakes(image, result.found, labels, number)
      : overlay(image, result.found, page.colours);
    show(picture, whole);
    const part = run.close;
    for (const [key, value] of Object.entries(part)) cutting.setAttribute(key, value);
    const small = cutOut(whole, part);
    if (run.band) darkened(small, run.band, part, image.width);
    show(close, small);
    enlarged.querySelector("figcaption").textContent = run.band
      ? "Counted: the bright band."
      : "Enlarged.";
    legend.replaceChildren(
      ...(labels
        ? Object.entries({ found: "found", missed: "missed", invented: "invented" }).map(([kind, text]) =>
            el("span", {}, el("i", { style: `background: ${css(MISTAKES[kind])}` }), `${name} ${text}`),
          )
        : [
            el("span", {}, `This picture has no labels of ${name}: mistakes cannot be counted.`),
            ...(scene ? [button("Show a labelled picture", () => page.choose(scene))] : []),
          ]),
    );
    read.replaceChildren(...words(result));
    for (const key of ["stride", "wrong", "iou"]) read.dataset[key] = result[key] ?? "";
    read.dataset.off = result.off.join();
  }

  function words(result) {
    const without = result.off.length ? ` ${shortly(result)}` : "";
    const what = `Stride ${result.stride}${without}`;
    if (result.wrong === null) return [what, "."];
    return [
      `${what}: `,
      el("strong", {}, percent(result.wrong, 1)),
      ` wrong near the edge. IoU of ${name} in the whole picture (overlap ÷ union of found and true ${name}): `,
      el("strong", {}, percent(result.iou, 1)),
      ".",
      remark(result),
    ];
  }

  // What would otherwise look like a contradiction.
  function remark({ stride, off, wrong, iou: share }) {
    const coarser = strides.filter((each) => Number(each) > Number(stride)).map((each) => run.result(each));
    if (off.length) {
      const better = coarser.find((each) => each.wrong < wrong);
      const relied = ` Trained to rely on ${off.length > 1 ? "them" : "it"}`;
      return better ? `${relied}, it is now worse than stride ${better.stride}.` : "";
    }
    const higher = coarser.find((each) => each.iou > share);
    return higher ? ` In this picture stride ${higher.stride} has the higher IoU; other pictures differ.` : "";
  }

  page.addEventListener("picture", update);
  enable();
  update();
  return {
    stop() {
      page.removeEventListener("picture", update);
      update.stop();
      change.stop();
      row.stop();
      run?.free();
      run = null;
      stage.classList.remove("skips-busy");
    },
  };
}

// The networks' stride is not that of one layer.
const meaning = (strides) =>
  `Stride here: pixels for each position of the finest map used.` +
  (strides.length > 1 ? ` ${strides.length} networks, trained for this chapter.` : "");

// The class that it is compared with: the background, or the next one.
const otherThan = (number, count) => (number === 0 ? Math.min(1, count - 1) : 0);

// --- what is computed for one picture

class Prediction {
  #given = {}; // stride → the picture and the scores of its levels, as tensors
  #results = new Map();
  #shares = new Map();

  constructor(network, strides, { image, labels }, number) {
    Object.assign(this, { network, strides, labels, number });
    this.size = { width: image.width, height: image.height };
    this.image = tensorOf(network.tf, image);
    this.encoded = new Map(); // number of an operation → its map: the strides share an encoder
    this.band = labels && edgeBand(labels, image.width, image.height, REACH);
    this.close = this.#closest();
  }

  // The levels whose scores a network adds up.
  levels(stride) {
    return LEVELS.filter((layer) => layer in this.network.models[this.strides[stride]]);
  }

  // The scores of all levels; the encoder is computed once for all strides.
  #scores(stride) {
    if (!this.#given[stride]) {
      const model = this.strides[stride];
      const given = { image: this.image };
      const features = this.network.border(model).features.filter((name) => name !== "image");
      const operation = (name) => this.network.number(model, name);
      const wanted = features.filter((name) => !this.encoded.has(operation(name)));
      for (const name of features) {
        if (this.encoded.has(operation(name))) given[name] = this.encoded.get(operation(name));
      }
      const made = this.network.run(model, wanted, given);
      for (const name of wanted) this.encoded.set(operation(name), made[name]);
      this.#given[stride] = {
        image: this.image,
        ...this.network.run(model, this.levels(stride), { ...given, ...made }),
      };
    }
    return this.#given[stride];
  }

  // The logits with only some levels; the others are zeros.
  #logits(stride, levels) {
    const { tf } = this.network;
    const given = { ...this.#scores(stride) };
    const zeros = this.levels(stride).filter((layer) => !levels.includes(layer));
    for (const layer of zeros) given[layer] = tf.tidy(() => tf.mul(given[layer], 0));
    const { output } = this.network.run(this.strides[stride], ["output"], given);
    const map = mapOf(output);
    [output, ...zeros.map((layer) => given[layer])].forEach((tensor) => tensor.dispose());
    return map;
  }

  // What a network finds without the levels that are off.
  result(stride, off = []) {
    const without = this.levels(stride).filter((layer) => off.includes(layer));
    const key = [stride, ...without].join();
    if (!this.#results.has(key)) {
      const logits = this.#logits(
        stride,
        this.levels(stride).filter((layer) => !without.includes(layer)),
      );
      const found = argmax(logits);
      this.#results.set(key, {
        stride,
        off: without,
        found,
        score: this.#lead(logits),
        wrong: this.band && wrongIn(this.band, found, this.labels),
        iou: this.labels && iou(found, this.labels, this.number),
      });
    }
    return this.#results.get(key);
  }

  // What each level adds to the lead of the class over the background: { layer: map }, and what is
  // there without any level ("rest": only a network with biases behind the scores has it).
  shares(stride) {
    if (!this.#shares.has(stride)) {
      const rest = this.#lead(this.#logits(stride, []));
      const alone = this.levels(stride).map((layer) => {
        const map = this.#lead(this.#logits(stride, [layer]));
        return [layer, { ...map, data: map.data.map((value, i) => value - rest.data[i]) }];
      });
      this.#shares.set(stride, { ...Object.fromEntries(alone), rest });
    }
    return this.#shares.get(stride);
  }

  // How far the score of the class lies before that of the other one.
  #lead({ data, height, width, channels }) {
    const other = otherThan(this.number, channels);
    const lead = new Float32Array(height * width);
    for (let i = 0; i < lead.length; i += 1) {
      lead[i] = data[i * channels + this.number] - data[i * channels + other];
    }
    return { data: lead, height, width };
  }

  // The part of the picture to enlarge: where the coarsest network is wrong the most, or, without
  // labels, where the coarsest and the finest have the most of an edge. The part's middle counts double.
  #closest() {
    const { width, height } = this.size;
    const strides = Object.keys(this.strides).sort((a, b) => b - a);
    const { found } = this.result(strides[0]);
    const edge = (labels) => edgeBand(labels, width, height, 2);
    const fine = this.labels ? null : edge(this.result(strides.at(-1)).found);
    const counted = this.labels
      ? this.band.map((inside, i) => (inside && found[i] !== this.labels[i] ? 1 : 0))
      : edge(found).map((inside, i) => inside + fine[i]);
    const part = { width: Math.min(width, 84), height: Math.min(height, 56) };
    let best = { count: -1 };
    for (let y = 0; y <= height - part.height; y += 4) {
      for (let x = 0; x <= width - part.width; x += 4) {
        let count = 0;
        for (let row = 0; row < part.height; row += 2) {
          const middle = Math.abs(row - part.height / 2) < part.height / 4 ? 2 : 1;
          const start = (y + row) * width + x;
          for (let i = start; i < start + part.width; i += 2) count += middle * counted[i];
        }
        if (count > best.count) best = { count, x, y };
      }
    }
    return { x: best.x, y: best.y, ...part };
  }

  free() {
    const given = Object.values(this.#given).flatMap(Object.values);
    new Set([this.image, ...this.encoded.values(), ...given]).forEach((tensor) => tensor.dispose());
  }
}

function cutOut({ data, width }, part) {
  const small = new ImageData(part.width, part.height);
  for (let row = 0; row < part.height; row += 1) {
    const start = 4 * ((part.y + row) * width + part.x);
    small.data.set(data.subarray(start, start + 4 * part.width), 4 * row * part.width);
  }
  return small;
}

// Darkens what lies outside a band, in a part of the picture.
function darkened(small, band, part, width) {
  for (let i = 0; i < part.width * part.height; i += 1) {
    const place = (part.y + Math.floor(i / part.width)) * width + part.x + (i % part.width);
    if (band[place]) continue;
    for (let c = 0; c < 3; c += 1) small.data[4 * i + c] *= 0.4;
  }
}

const poolOf = (layer) => layer.replace("score_", "");
const shortly = ({ off }) => `without ${off.length > 1 ? "both" : poolOf(off[0])}`;

// --- errors of the three networks, side by side

function tableOf(strides) {
  const cells = new Map(
    strides.map((stride) => [stride, el("div", { class: "row", "data-stride": stride })]),
  );
  const changed = el("div", { class: "row changed", "data-stride": "changed" });
  const title = el("p", { class: "quiet" }, `Wrong within ${REACH} pixels of the edge`);
  const box = el("div", { class: "skips-table" }, title, ...cells.values(), changed);
  let most = 0.01;
  const all = new Map();
  const fill = (row, label, result, now) => {
    row.classList.toggle("now", now);
    const width = 100 * Math.min(1, result.wrong / most);
    row.replaceChildren(
      el("span", {}, label),
      el("span", { class: "bar" }, el("span", { style: `width: ${width}%` })),
      el("span", { class: "value" }, percent(result.wrong, 1)),
    );
    row.dataset.wrong = result.wrong;
  };
  let now = null;
  const render = () => {
    const known = [...all.values(), now].filter((result) => result && result.wrong !== null);
    box.classList.toggle("none", !known.length);
    if (!known.length) return;
    most = Math.max(0.01, ...known.map(({ wrong }) => wrong));
    for (const [stride, result] of all) fill(cells.get(stride), `stride ${stride}`, result, result === now);
    const other = now && ![...all.values()].includes(now);
    changed.classList.toggle("none", !other);
    if (other) fill(changed, shortly(now), now, true);
  };
  return {
    box,
    clear() {
      all.clear();
      now = null;
      render();
    },
    current(result) {
      now = result;
      if (!result.off.length) all.set(result.stride, result);
      render();
    },
    async fill(run, still) {
      for (const stride of strides) {
        await frame();
        if (!still()) return;
        all.set(stride, run.result(stride));
        render();
      }
    },
  };
}

// --- one prediction taken apart

function sharesOf(name, other) {
  const panel = (id, caption) => {
    const image = canvas(caption, 1, 1, { "data-share": id });
    return { image, node: figure(image, caption) };
  };
  const levels = Object.fromEntries(LEVELS.map((layer) => [layer, panel(layer, layer)]));
  const sum = panel("sum", "sum");
  const sign = (text) => el("span", { class: "sign" }, text);
  const scale = el("p", { class: "skips-scale" });
  const box = el(
    "div",
    { class: "skips-shares" },
    el(
      "div",
      { class: "row" },
      ...LEVELS.flatMap((layer, i) => [...(i ? [sign("+")] : []), levels[layer].node]),
      sign("="),
      sum.node,
    ),
    scale,
  );
  return {
    box,
    show(run, result) {
      const shares = run.shares(result.stride);
      const used = run.levels(result.stride);
      const whole = run.result(result.stride).score;
      const limit = strongest([...used.map((layer) => shares[layer]), whole]);
      for (const layer of LEVELS) {
        const off = result.off.includes(layer);
        const { image, node } = levels[layer];
        node.classList.toggle("absent", !used.includes(layer));
        const map = shares[layer];
        if (!map) show(image, new ImageData(whole.width, whole.height));
        else show(image, diverging(off ? { ...map, data: map.data.map(() => 0) } : map, limit, ENDS));
        const share = used.includes(layer) ? (off ? "off" : "") : "none";
        node.querySelector("figcaption").textContent = `${ORIGINS[layer]}${share && `: ${share}`}`;
      }
      show(sum.image, diverging(result.score, limit, ENDS));
      const digits = limit < 10 ? 1 : 0;
      const constant = strongest([shares.rest]) > 1e-4 * limit;
      sum.node.querySelector("figcaption").textContent = constant ? "sum, with the biases" : "sum";
      scale.replaceChildren(
        el("span", {}, `Score of ${name} minus score of ${other}:`),
        el(
          "span",
          { class: "ends" },
          `−${number(limit, digits)}`,
          el("i", { style: `background: linear-gradient(90deg, ${css(ENDS[0])}, #fafafa, ${css(ENDS[1])})` }),
          `+${number(limit, digits)}`,
        ),
      );
      box.dataset.limit = limit;
    },
  };
}

const strongest = (maps) =>
  maps.reduce((most, { data }) => data.reduce((top, value) => Math.max(top, Math.abs(value)), most), 1e-9);

// --- for the handout: a coarse map and a fine map, added

function drawing() {
  const box = (x) => svg("path", { d: `M${x} 8h64v64h-64z` });
  const sign = (x, text) =>
    svg("text", { x, y: 46, style: "fill: currentColor; stroke: none; font-size: 18px" }, text);
  const below = (x, text) =>
    svg("text", { x, y: 86, style: "fill: currentColor; stroke: none; font-size: 11px" }, text);
  return svg(
    "svg",
    {
      viewBox: "0 0 240 90",
      width: 240,
      height: 90,
      fill: "none",
      stroke: "currentColor",
      "stroke-width": 1.5,
    },
    box(4),
    svg("path", { d: "M4 8h32v64h-32zM36 8h32v32h-32z", fill: "currentColor", "fill-opacity": 0.3 }),
    sign(72, "+"),
    box(88),
    svg("path", { d: "M92 72L148 8", "stroke-width": 2.5 }),
    sign(156, "="),
    box(172),
    svg("path", { d: "M172 8h60L176 72h-4z", fill: "currentColor", "fill-opacity": 0.3 }),
    below(4, "what, coarse"),
    below(88, "where, fine"),
    below(172, "their sum"),
  );
}
