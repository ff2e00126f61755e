// Convolution: one window through all channels, one kernel, one number (L02, L08). On small numbers,
// which can be followed one by one, and on a picture.
import { at, convolutionSize, convolved, filled } from "../arithmetic.js";
import { canvas, choice, clamp, controls, drawn, el, slider, svg } from "../ui/dom.js";
import { diverging, show } from "../ui/draw.js";
import { grid, short } from "../ui/grid.js";
import { picker } from "../ui/picker.js";
import { walk } from "../ui/walk.js";
import { numberField, weights } from "../ui/weights.js";

const LARGEST = 7; // rows of the input
const COLOURS = ["red", "green", "blue"];
const WHITE = 3 * 255; // a white pixel's sum over the channels
// A bright bar, a slope, a corner: something for an edge, a blur and a mixture to find.
const INPUT = [
  [0, 0, 1, 8, 9, 8, 1, 0, 1, 2, 9, 9, 9, 1, 1, 1, 1, 8, 9, 8, 2, 0, 2, 1, 9, 8, 9, 0,
    1, 1, 2, 8, 9, 9, 1, 0, 1, 1, 9, 9, 8, 1, 1, 0, 2, 8, 9, 9, 0],
  [9, 8, 7, 6, 4, 3, 2, 8, 7, 6, 4, 3, 2, 1, 7, 6, 4, 3, 2, 1, 0, 6, 4, 3, 2, 1, 0, 0,
    4, 3, 2, 1, 0, 0, 1, 3, 2, 1, 0, 0, 1, 0, 2, 1, 0, 0, 1, 0, 0],
  [1, 1, 0, 1, 1, 0, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0, 7, 7, 8, 7, 8, 0, 1, 8, 7, 7, 8, 7,
    1, 1, 7, 8, 7, 7, 7, 0, 1, 7, 7, 8, 7, 8, 1, 0, 8, 7, 7, 8, 7],
].map((data) => ({ data, height: LARGEST, width: LARGEST }));

const centre = (k) => Math.floor((k - 1) / 2);
const SHARPEN = [[0, -1, 0], [-1, 5, -1], [0, -1, 0]];
// Weights of a size k, for row and column. Blurs add up to 1, with weights that are short to write.
const KERNELS = {
  edge: (k) => (row, column) => (k === 1 ? 1 : column < k / 2 - 0.5 ? -1 : column > k / 2 - 0.5 ? 1 : 0),
  blur: (k) => (row, column) => {
    const middle = row === centre(k) && column === centre(k);
    if (k === 4) return [1, 2].includes(row) && [1, 2].includes(column) ? 0.1 : 0.05;
    if (k === 5) return middle ? 0.2 : row === 2 || column === 2 ? 0.1 : 0;
    return k === 3 ? (middle ? 0.2 : 0.1) : 1 / (k * k);
  },
  sharpen: (k) => (row, column) => {
    if (k === 1) return 1;
    if (k === 2) return [3, -1, -1, 0][2 * row + column];
    return SHARPEN[row - centre(k) + 1]?.[column - centre(k) + 1] ?? 0;
  },
  "1 × 1": () => (row, column, channel) => [2, -1, 1][channel],
};
const KINDS = Object.keys(KERNELS).map((kind) => [kind, kind === "edge" ? "vertical edge" : kind]);

export default {
  id: "convolution",
  title: "Convolution",
  claims: ["L02", "L08"],
  minutes: 6,
  question: {
    ask: "A 7 × 7 input with 2 channels, one 3 × 3 kernel, stride 2, no padding (VALID). What comes out?",
    answers: ["3 × 3, two channels", "3 × 3, one channel", "5 × 5, one channel"],
    right: 1,
    because: "The window fits 3 times: (7 − 3) / 2 + 1. Both channels are added up: one kernel, one channel.",
  },
  todo: "Choose an output cell and follow its number back. Set stride 2: were you right? Predict every "
    + "further size. Then take a picture.",
  sentence: "One kernel reaches through all channels; its products and the bias add up to one number.",
  notes: [
    "Go to a cell at the edge of the bright bar and ask for its value before you show the sum.",
    "A usual misconception: each input channel gives an output channel. One kernel gives one; 64 channels "
      + "take 64 kernels.",
    "SAME adds (output − 1) · stride + kernel − input zeros. 6 × 6, kernel 3, stride 2: one row, and it goes "
      + "to the end, not to the start.",
    "1 × 1 looks at no neighbour: it mixes the channels of one pixel. The last layers of an FCN do just "
      + "that.",
    "On the picture: an edge kernel adds up to 0, so that flat areas vanish; a blur adds up to 1 and keeps "
      + "the brightness. A network learns such weights instead of being given them.",
  ],
  drawing,
  build,
};

// --- the screen

function build(stage, { page, say }) {
  const state = {
    n: LARGEST, k: 3, stride: 1, padding: "valid", channels: 2, kind: "edge", bias: 0, kernels: [],
    row: 1, column: 1, // the chosen cell of the output
  };
  const tools = { say };
  const small = numbers(state, tools);
  const large = page.contents.pictures.length ? onPicture(state, page, tools) : null;
  let place = small;

  const square = (n) => `${n} × ${n}`;
  const change = (key) => (value) => {
    state[key] = value;
    walker.pause();
    place.draw();
  };
  const kinds = choice("kind of kernel", KINDS, state.kind, (kind) => {
    if (kind === "1 × 1") setSize(1);
    else if (state.k === 1) setSize(3);
    state.kind = kind;
    preset();
    place.draw();
  });
  kinds.classList.add("kind");
  const size = slider("kernel", { min: 1, max: 5, value: state.k, shown: square }, (k) => {
    setSize(k);
    place.draw();
  });
  const ofInput = { min: 3, max: LARGEST, value: state.n, shown: square };
  const inputSize = slider("input size", ofInput, change("n"));
  const channels = choice("channels", [1, 2, 3], state.channels, change("channels"));
  const where = choice("input", [["numbers", "numbers"], ["picture", "a picture"]], "numbers", (name) => {
    walker.pause();
    place = name === "numbers" ? small : large;
    inputSize.hidden = channels.hidden = place === large;
    body.replaceChildren(place.node);
    place.draw();
  });
  where.classList.add("where");
  const walker = walk({
    count: () => small.size() ** 2,
    place: () => state.row * small.size() + state.column,
    go: (cell) => small.choose(Math.floor(cell / small.size()), cell % small.size()),
  });
  small.walker.append(walker);
  const body = el("div", { class: "body" }, small.node);

  // Another size: a kernel of the same kind, or what was typed, cut or with zeros around.
  function setSize(k) {
    const before = state.kernels;
    const shift = centre(k) - centre(state.k);
    const old = state.k;
    state.k = k;
    size.set(k);
    if (state.kind && state.kind !== "1 × 1") preset();
    else {
      const inside = (i) => i >= 0 && i < old;
      state.kernels = before.map((kernel) => filled(k, k, (row, column) =>
        (inside(row - shift) && inside(column - shift) ? at(kernel, row - shift, column - shift) : 0)));
      setKind(null);
    }
  }

  function preset() {
    const weight = KERNELS[state.kind](state.k);
    state.kernels = COLOURS.map((_, channel) =>
      filled(state.k, state.k, (row, column) => weight(row, column, channel)));
  }

  function setKind(kind) {
    state.kind = kind;
    kinds.set(kind);
  }

  tools.typed = (channel, place_, value) => {
    state.kernels[channel].data[place_] = value;
    setKind(null);
    place.draw();
  };

  preset();
  stage.append(
    controls(large ? where : null,
      choice("padding", [["valid", "VALID"], ["same", "SAME"]], state.padding, change("padding")),
      choice("stride", [1, 2, 3], state.stride, change("stride")), channels, inputSize, size, kinds),
    body);
  const observer = new ResizeObserver(() => place.draw());
  observer.observe(body);
  return {
    stop() {
      observer.disconnect();
      walker.stop();
      large?.stop();
    },
  };
}

// What padding and stride mean here.
function settingInWords({ n, k, stride, padding }) {
  const { size, before, after } = convolutionSize(n, k, stride, padding);
  const wanted = stride === 1 ? `keep the size ${n}` : `make the size ${n} / ${stride}, rounded up: ${size}`;
  const zeros = before + after
    ? `zeros, ${before} before and ${after} after, ${wanted}.`
    : `the size is ${stride === 1 ? n : `${n} / ${stride}, rounded up: ${size}`}. Here that needs no zeros.`;
  const around = padding === "same" ? `SAME: ${zeros}` : "VALID: no zeros around the input.";
  return `${around} Stride ${stride}: the window moves ${stride} cell${stride > 1 ? "s" : ""} at a time.`;
}

// The size of the output: the lecture's formula, in words and with the numbers set in.
function sizeInWords({ n, k, stride, padding }) {
  const { size, before, after } = convolutionSize(n, k, stride, padding);
  if (!size) return [`The kernel (${k}) is larger than the input (${n}): no window fits.`];
  return [
    el("span", { class: "names" }, "size = ⌊(input + zeros − kernel) / stride⌋ + 1 = "),
    `⌊(${n} + ${before + after} − ${k}) / ${stride}⌋ + 1 = ${size}`,
    el("span", { class: "quiet" }, "  ⌊ ⌋: rounded down"),
  ];
}

// --- on small numbers

function numbers(state, tools) {
  const inputs = COLOURS.map((_, c) => grid(`Input, channel ${c + 1}`, `input-${c + 1}`));
  const kernels = COLOURS.map((_, c) => weights(`kernel, channel ${c + 1}`, {
    say: tools.say, changed: (place, value) => tools.typed(c, place, value),
  }));
  const products = COLOURS.map((_, c) => grid(`Products, channel ${c + 1}`, `products-${c + 1}`));
  const sums = COLOURS.map((_, c) => el("h3", { "data-sum": c + 1 }));
  const columns = COLOURS.map((_, c) => el("section", { class: "channel" },
    el("h3", {}, `input, channel ${c + 1}`), inputs[c],
    el("div", { class: "pair" },
      el("div", {}, el("h3", {}, "kernel"), kernels[c]),
      el("div", {}, sums[c], products[c]))));
  const title = el("h3", {});
  const output = grid("Output", "output", choose);
  const setting = el("p", { class: "setting" });
  const formula = el("p", { class: "read formula" });
  const sum = el("p", { class: "read sum", role: "status", "aria-live": "polite" });
  const longSum = el("p", { class: "read long" });
  const bias = numberField("bias", state.bias, {
    say: tools.say, changed: (value) => { state.bias = value; draw(); },
  });
  const walker = el("div");
  const right = el("section", { class: "output" }, title, output, sum,
    el("label", { class: "bias" }, "bias ", bias), walker);
  const below = el("div", { class: "underneath" }, longSum);
  const node = el("div", { class: "numbers" }, el("div", { class: "channels" }, ...columns), right, below);

  const size = () => convolutionSize(state.n, state.k, state.stride, state.padding).size;

  function choose(row, column) {
    Object.assign(state, { row, column });
    draw();
  }

  function draw() {
    if (!node.isConnected) return; // what is not on the screen has no size
    const { n, k, stride, padding, channels } = state;
    const { size: count, before, after } = convolutionSize(n, k, stride, padding);
    state.row = clamp(state.row, 0, Math.max(0, count - 1));
    state.column = clamp(state.column, 0, Math.max(0, count - 1));
    output.chosen = [state.row, state.column];
    const maps = INPUT.slice(0, channels).map((map) => filled(n, n, (row, column) => at(map, row, column)));
    const out = convolved(maps, state.kernels.slice(0, channels), state);
    const top = state.row * stride - before;
    const left = state.column * stride - before;
    const cell = (map, row, column) =>
      (row >= 0 && column >= 0 && row < n && column < n ? at(map, row, column) : null);
    const window_ = maps.map((map) =>
      filled(k, k, (row, column) => cell(map, top + row, left + column) ?? 0));
    const parts = window_.map(({ data }, c) => ({
      data: data.map((value, place) => value * state.kernels[c].data[place]), height: k, width: k,
    }));
    const totals = parts.map(({ data }) => data.reduce((a, b) => a + b, 0));

    const layout = measure(node, { channels, k, wide: n + before + after, count });
    columns.forEach((column, c) => {
      column.hidden = c >= channels;
      if (c >= channels) return;
      inputs[c].draw({
        rows: n + before + after, columns: n + before + after, width: layout.cell,
        label: `Input, channel ${c + 1}: ${n} × ${n}, padded by ${before} before and ${after} after`,
        cell: (row, column) => {
          const value = cell(maps[c], row - before, column - before);
          return value === null
            ? { text: "0", kind: "padding" } : { text: String(value), tint: "ink", level: value / 36 };
        },
        frames: count
          ? [{ row: state.row * stride, column: state.column * stride, rows: k, columns: k, kind: "window" }]
          : [],
      });
      kernels[c].draw(state.kernels[c], layout.weight, layout.line);
      products[c].draw({
        rows: count ? k : 0, columns: k, width: layout.weight, height: layout.line, cell: (row, column) => {
          const value = at(parts[c], row, column);
          return { text: short(value), ...signed(value, 30) };
        },
      });
      const roomy = layout.stacked || (channels < 3 && !layout.narrow);
      const heading = roomy ? "products" : "sum"; // shorter where it is narrow
      sums[c].textContent = count ? `${heading}: ${short(totals[c])}` : heading;
    });
    node.classList.toggle("stacked", layout.stacked);
    title.textContent = count ? `output, ${count} × ${count}` : "output";
    const limit = Math.max(1, ...out.data.map(Math.abs));
    output.draw({
      rows: count, columns: count, width: layout.out, height: 0.85 * layout.out,
      label: `Output, ${count} × ${count}. Arrow keys choose a cell.`,
      cell: (row, column) => {
        const value = at(out, row, column);
        return { text: short(value, 1), ...signed(value, limit) };
      },
      frames: count ? [{ row: state.row, column: state.column, rows: 1, columns: 1, kind: "chosen" }] : [],
    });
    output.toggleAttribute("hidden", !count);
    setting.textContent = settingInWords(state);
    formula.replaceChildren(...sizeInWords(state));
    if (k <= 3) below.prepend(setting, formula); // where small kernels leave room
    else right.append(setting, formula);
    const terms = totals.map((value, i) => (i ? bracketed(value) : short(value)));
    const value = count ? at(out, state.row, state.column) : null;
    sum.textContent = count
      ? `row ${state.row + 1}, column ${state.column + 1}: ${terms.join(" + ")} + bias `
        + `${bracketed(state.bias)} = ${short(value, 4)}`
      : "";
    longSum.textContent = count && k <= 3 ? writtenOut(window_, state, value) : "";
  }
  return { node, draw, size, choose, walker };
}

const bracketed = (value) => (value < 0 ? `(${short(value)})` : short(value));
const signed = (value, limit) => ({
  tint: value < 0 ? "frozen" : "trained", level: Math.min(0.45, (0.45 * Math.abs(value)) / limit),
});

function writtenOut(window_, { kernels, bias }, value) {
  const terms = window_.map(({ data }, c) =>
    data.map((pixel, place) => `${pixel}·${bracketed(kernels[c].data[place])}`).join(" + "));
  return `${terms.join("  +  ")} + ${bracketed(bias)} = ${short(value, 4)}`;
}

// Sizes in pixels for the room that there is: of an input cell, a weight, an output cell.
function measure(node, { channels, k, wide, count }) {
  const em = parseFloat(getComputedStyle(node).fontSize);
  const width = node.clientWidth;
  const narrow = width < 40 * em;
  const more = narrow ? 1 : clamp((node.closest(".stage")?.clientHeight ?? 0) / (36 * em), 1, 1.5);
  const right = (channels === 1 ? 20 : 14) * em * more;
  node.classList.toggle("narrow", narrow);
  node.style.setProperty("--output", `${right}px`);
  const column = (narrow ? width : width - right) / channels - em;
  const stacked = (column - em) / (2 * k) < 1.45 * em;
  const cell = Math.floor(Math.min(2 * em * more, (14.1 * em * more) / wide, (column - 4) / wide));
  const weight = Math.floor(Math.min(stacked ? column / k : (column - em) / (2 * k), 2.3 * em * more));
  const out = Math.floor(Math.min(2.4 * em * more, (14 * em * more - 4) / Math.max(1, count)));
  const line = Math.floor(more * em * (stacked && k > 3 ? 1.3 : 1.55));
  return { cell, weight, line, out, stacked, narrow };
}

// --- on a picture

function onPicture(state, page, tools) {
  const pictures = picker(page, tools.say);
  const before = canvas("The picture", 1, 1, { class: "smooth" });
  const after = canvas("What the kernel makes of it", 1, 1, { class: "smooth", "data-map": "result" });
  const beforeWords = el("figcaption");
  const afterWords = el("figcaption", { role: "status", "aria-live": "polite" });
  const kernels = COLOURS.map((colour, c) => weights(`kernel, ${colour}`, {
    say: tools.say, changed: (place, value) => tools.typed(c, place, value),
  }));
  const panels = el("div", { class: "panels" },
    el("figure", {}, beforeWords, before), el("figure", {}, afterWords, after));
  const node = el("div", { class: "pictures" },
    pictures,
    panels,
    el("div", { class: "kernels" },
      ...COLOURS.map((colour, c) => el("div", {}, el("h3", {}, `kernel, ${colour}`), kernels[c]))));
  let asked = 0;
  let wanted = 0;
  let image = null;
  let maps = null;

  function draw() {
    if (!node.isConnected) return;
    const em = parseFloat(getComputedStyle(node).fontSize);
    const { k } = state; // three large kernels stand below each other, too
    const [width, height] = [Math.min(2.3, 9.5 / k) * em, Math.min(1.8, 6.2 / k) * em];
    kernels.forEach((table, c) => table.draw(state.kernels[c], width, height));
    wanted ||= requestAnimationFrame(() => { wanted = 0; if (node.isConnected) compute(); });
  }

  async function compute() {
    const turn = (asked += 1);
    try {
      const next = (await page.picture()).image;
      if (turn !== asked) return;
      if (next !== image) {
        image = next;
        maps = COLOURS.map((_, c) => ({
          data: Float32Array.from({ length: next.data.length / 4 }, (_, i) => next.data[4 * i + c]),
          height: next.height, width: next.width,
        }));
      }
      render();
    } catch (error) {
      tools.say(error.message);
    }
  }

  function render() {
    const { stride, padding } = state;
    show(before, image);
    panels.classList.toggle("wide", image.width > 2 * image.height);
    beforeWords.textContent = `input: ${image.height} × ${image.width} × 3 (height × width × channels)`;
    const out = convolved(maps, state.kernels, { stride, padding, bias: 0 });
    if (!out.height || !out.width) {
      show(after, new ImageData(1, 1));
      afterWords.textContent = "The kernel is larger than the picture: no window fits.";
      return;
    }
    const total = state.kernels.reduce((sum, { data }) => data.reduce((a, b) => a + b, sum), 0);
    const negative = total < 0.03; // such as edges: no brightness, but differences
    let limit = 1;
    for (const value of out.data) limit = Math.max(limit, Math.abs(value));
    show(after, negative ? diverging(out, limit / 2) : greys(out));
    after.dataset.size = `${out.height} × ${out.width}`;
    const colours = negative
      ? `orange: above 0, blue: below, up to ±${Math.round(limit).toLocaleString("en")}`
      : `black: 0, white: ${WHITE}, as all three channels are added up`;
    afterWords.textContent = `output: ${out.height} × ${out.width} × 1 (${colours})`;
  }

  const changed = () => { if (node.isConnected) draw(); };
  page.addEventListener("picture", changed);
  return {
    node, draw,
    stop() {
      asked += 1;
      cancelAnimationFrame(wanted);
      page.removeEventListener("picture", changed);
      pictures.stop();
    },
  };
}

// A kernel that adds up to 1 in every channel keeps the brightness.
function greys(map) {
  const image = new ImageData(map.width, map.height);
  map.data.forEach((value, i) => {
    const grey = (255 * value) / WHITE;
    image.data.set([grey, grey, grey, 255], 4 * i);
  });
  return image;
}

// --- the handout's drawing

function drawing() {
  const cells = (left, top, count, side, marked) => Array.from({ length: count * count }, (_, i) => {
    const [row, column] = [Math.floor(i / count), i % count];
    return svg("rect", {
      x: left + column * side, y: top + row * side, width: side, height: side,
      fill: marked(row, column) ? "#bbb" : "#fff", stroke: "#555", "stroke-width": 0.8,
    });
  });
  const text = (x, y, words) =>
    svg("text", { x, y, "text-anchor": "middle", style: "font-size: 12px; fill: #000" }, words);
  const seen = (row, column) => row < 3 && column > 1 && column < 5;
  return drawn("A window in two channels, a kernel, one output cell",
    ...cells(16, 2, 7, 9, seen), ...cells(4, 12, 7, 9, seen), // the window's second place
    text(92, 44, "×"),
    ...cells(112, 16, 3, 12, () => true), ...cells(104, 24, 3, 12, () => true),
    text(168, 44, "→ Σ →"),
    ...cells(194, 22, 3, 12, (row, column) => row === 0 && column === 1),
    text(38, 88, "7 × 7 × 2"), text(126, 75, "3 × 3 × 2"), text(126, 88, "stride 2"),
    text(212, 75, "3 × 3 × 1"));
}
