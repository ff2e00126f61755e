// Transposed convolution in three ways that give the same numbers (L09, L16): stamps, inserted zeros,
// the matrix.
import {
  at, convolutionMatrix, filled, flipped, overlaps, spread, stamped, throughMatrix, throughStamps,
  throughZeros, times, transposedOf, transposedSize,
} from "../arithmetic.js";
import { choice, clamp, controls, drawn, el, slider, svg } from "../ui/dom.js";
import { grid, short } from "../ui/grid.js";
import { walk } from "../ui/walk.js";
import { weights } from "../ui/weights.js";

// No zeros among the values: zeros are what is put between them.
const INPUT = { data: [2, 1, 3, 1, 1, 4, 2, 2, 3, 2, 1, 4, 1, 3, 2, 1], height: 4, width: 4 };
const KERNEL = { // its top left corner; not symmetric, so that turning it can be seen
  data: [1, 2, 1, 3, 1, 0, 3, 1, 1, 2, 2, 1, 0, 1, 1, 1, 3, 2, 1, 0, 2, 1, 1, 0, 1], height: 5, width: 5,
};
const ORDINALS = ["first", "second", "third", "fourth"];
const KINDS = {
  numbers: (k) => filled(k, k, (row, column) => at(KERNEL, row, column)),
  ones: (k) => filled(k, k, 1),
};

export default {
  id: "transposed",
  title: "Transposed convolution",
  claims: ["L09", "L16"],
  minutes: 6,
  question: {
    ask: "A convolution with stride 2 makes 4 numbers out of 8. The transposed convolution makes 8 out of "
      + "these 4. Are they the first 8 again?",
    answers: ["Yes, it undoes the convolution", "No, only the size comes back"],
    right: 1,
    because: "4 numbers cannot tell what the 8 were. (In the view “the matrix”: a transpose is no inverse.)",
  },
  todo: "Step through the stamps. With stride 2, compare kernels 3 and 4. Then look at the other two views.",
  sentence: "A transposed convolution adds up stamps of its kernel; with SAME, height and width are "
    + "multiplied by the stride.",
  notes: [
    "Step slowly through the first three stamps. Where two overlap, ask what the sum will be.",
    "“Deconvolution” is a misnomer: nothing is undone. The matrix view shows it: the convolution of the "
      + "output is not the input.",
    "Kernel 3, stride 2: cells get 1, 2 or 4 stamps, which leaves a checkerboard in a network’s output. "
      + "Kernel 4, stride 2: even. The lecture’s network uses 4 with stride 2 and 16 with stride 8.",
    "Inserted zeros are a picture of the same sum, and a wasteful way to compute it: most products are 0.",
    "The kernel is turned by half a turn in that view only because a stamp goes outwards and a window looks "
      + "inwards.",
  ],
  drawing,
  build,
};

// --- the screen

function build(stage, { say }) {
  const state = {
    view: "stamps", n: 3, k: 3, stride: 2, padding: "same", kind: "numbers", kernel: KINDS.numbers(3),
    stamp: 0, output: 0, row: 0, column: 0, // where each view is
  };
  const kernel = weights("kernel", {
    say, changed: (place, value) => {
      state.kernel.data[place] = value;
      state.kind = null;
      kinds.set(null);
      draw();
    },
  });
  const views = {
    stamps: stampsView(state, kernel, draw), zeros: zerosView(state, kernel, draw),
    matrix: matrixView(state, kernel, draw),
  };
  const body = el("div", { class: "body" });
  const formula = el("span", { class: "formula" });
  const agreement = el("span", { class: "agreement" });
  const walker = walk({
    count: () => views[state.view].count(), place: () => views[state.view].place(),
    go: (place) => { views[state.view].go(place); draw(); }, pause: 700,
  });
  const change = (key) => (value) => {
    walker.pause();
    state[key] = value;
    draw();
  };
  const resized = (k) => {
    walker.pause();
    const before = state.kernel;
    state.k = k;
    const inside = (i) => i < before.height;
    state.kernel = state.kind ? KINDS[state.kind](k) : filled(k, k, (row, column) =>
      (inside(row) && inside(column) ? at(before, row, column) : 0));
    draw();
  };
  const kinds = choice("weights", Object.keys(KINDS), state.kind, (kind) => {
    state.kind = kind;
    state.kernel = KINDS[kind](state.k);
    draw();
  });
  const names = [["stamps", "stamps"], ["zeros", "inserted zeros"], ["matrix", "the matrix"]];
  const view = choice("view", names, state.view,
    (name) => { walker.pause(); state.view = name; body.replaceChildren(views[name].node()); draw(); });
  view.classList.add("unnamed");
  kinds.classList.add("unnamed");
  body.append(views.stamps.node());
  stage.append(
    controls(view,
      choice("padding", [["valid", "VALID"], ["same", "SAME"]], state.padding, change("padding")),
      choice("stride", [1, 2, 3], state.stride, change("stride")),
      slider("input", { min: 2, max: 4, value: state.n, shown: (n) => `${n} × ${n}` }, change("n")),
      slider("kernel", { min: 1, max: 5, value: state.k, shown: (k) => `${k} × ${k}` }, resized),
      kinds, walker),
    body, el("p", { class: "read" }, formula, " ", agreement));

  function draw() {
    if (!body.isConnected) return; // what is not on the screen has no size
    const { n, k, stride, padding } = state;
    const input = inputOf(n);
    const size = transposedSize(n, k, stride, padding);
    state.stamp = clamp(state.stamp, 0, n * n - 1);
    state.output = Math.min(state.output, size.size ** 2 - 1);
    state.row = Math.min(state.row, size.size - 1);
    state.column = Math.min(state.column, n - 1);
    const em = parseFloat(getComputedStyle(body).fontSize);
    const roomy = body.clientWidth > 40 * em;
    body.classList.toggle("narrow", !roomy);
    const more = roomy ? clamp(stage.clientHeight / (36 * em), 1, 1.5) : 1;
    const line = Math.min(1.9, 18.4 / (n + 2 * k)) * em * more; // input, kernel and stamp, below each other
    const weight = { width: Math.min(2.2, 9.6 / k) * em * more, height: line };
    const room = { em, more, roomy, weight, line, width: body.clientWidth };
    body.style.setProperty("--side", `${10 * em * more}px`);
    kernel.draw(state.kernel, room.weight.width, room.weight.height);
    views[state.view].draw(input, size, room);
    formula.textContent = sizeInWords(state, size);

    const ways = [throughStamps, throughZeros, throughMatrix];
    const found = ways.map((way) => way(input, state.kernel, stride, padding));
    const differences = found.slice(1).flatMap(({ data }) =>
      Array.from(data, (value, i) => Math.abs(value - found[0].data[i])));
    const largest = Math.max(...differences);
    const same = state.view === "matrix" ? "One dimension here; the same rule as in the other views."
      : "All three views give the same numbers.";
    agreement.textContent = largest < 1e-9 ? same : `The three views differ by up to ${largest}.`;
    agreement.dataset.difference = largest;
  }

  const observer = new ResizeObserver(draw);
  observer.observe(body);
  return { stop() { observer.disconnect(); walker.stop(); } };
}

const inputOf = (n) => filled(n, n, (row, column) => at(INPUT, row, column));
const bracketed = (value) => (value < 0 ? `(${short(value)})` : short(value));
// A cell with a signed number: blue below 0, orange above.
const signed = (value, limit) => ({
  text: short(value), tint: value < 0 ? "frozen" : "trained",
  level: Math.min(0.45, (0.45 * Math.abs(value)) / (limit || 1)),
});
const limitOf = ({ data }) => Math.max(...data.map(Math.abs));
const cellOf = (place, { width }) => [Math.floor(place / width), place % width];

// The size of the output, with the numbers set in.
function sizeInWords({ n, k, stride, padding }, { full, size, before, after }) {
  const more = Math.max(k - stride, 0);
  const all = more
    ? `All stamps: ${n} steps of ${stride}, and the last kernel reaches ${k} − ${stride} = ${more} further: `
      + `${full}.`
    : `All stamps: ${n} steps of ${stride} make ${full}.`;
  if (padding === "valid") return `${all} VALID keeps them: ${full} × ${full}.`;
  return more
    ? `${all} SAME keeps ${n} · ${stride} = ${size} and cuts ${before} before, ${after} after.`
    : `${all} SAME keeps ${n} · ${stride} = ${size}: there is nothing to cut.`;
}

const section = (words, ...content) => el("section", {}, el("h3", {}, words), ...content);
const values = (map, room) => ({
  rows: map.height, columns: map.width, width: room.width, height: room.height ?? room.width,
});

// --- stamps

function stampsView(state, kernel, redraw) {
  const input = grid("Input", "input", (row, column) => { state.stamp = row * state.n + column; redraw(); });
  const stamp = grid("Stamp", "stamp");
  const result = grid("Output so far", "stamped");
  const counts = grid("Number of stamps", "counts");
  const [stampTitle, resultTitle] = [el("h3"), el("h3")];
  const reading = el("p", { class: "read reading", role: "status", "aria-live": "polite" });
  const evenness = el("p", { class: "read evenness" });
  const left = el("div", { class: "side" });
  const node = el("div", { class: "three halves" }, left,
    el("section", {}, resultTitle, result, reading),
    section("how many stamps reach each cell", counts, evenness));

  function draw(map, size, { em, more, roomy, weight, line, width }) {
    const { n, k, stride } = state;
    const [row, column] = cellOf(state.stamp, map);
    const value = map.data[state.stamp];
    input.chosen = [row, column];
    input.draw({
      ...values(map, { width: 1.9 * em * more, height: line }),
      label: `Input, ${n} × ${n}. Arrow keys choose the value that stamps.`,
      cell: (r, c) => ({ text: short(at(map, r, c)), tint: "ink", level: at(map, r, c) / 20 }),
      frames: [{ row, column, rows: 1, columns: 1, kind: "chosen" }],
    });
    const limit = Math.max(...state.kernel.data.map(Math.abs)) * limitOf(map);
    stampTitle.textContent = `stamp: ${value} × kernel`;
    stamp.draw({
      rows: k, columns: k, ...weight,
      cell: (r, c) => signed(value * at(state.kernel, r, c), limit),
    });

    // The stamps so far, before SAME cuts; what is cut is shown too.
    const sofar = stamped(map, state.kernel, stride, state.stamp + 1);
    const whole = limitOf(stamped(map, state.kernel, stride));
    const kept = (r, c) => [r, c].every((i) => i >= size.before && i < size.before + size.size);
    const half = (roomy ? (width - 11 * em * more) / 2 - em : width) - 4;
    const cell = Math.floor(Math.min(2.2 * em * more, half / size.full));
    const place = { row: row * stride, column: column * stride, rows: k, columns: k, kind: "chosen" };
    const { before, size: side } = size;
    const outline = { row: before, column: before, rows: side, columns: side, kind: "window" };
    resultTitle.textContent = `output after ${state.stamp + 1} of ${n * n} stamps`;
    result.draw({
      ...values(sofar, { width: cell }), label: `Output after ${state.stamp + 1} stamps`,
      cell: (r, c) => (kept(r, c) ? signed(at(sofar, r, c), whole)
        : { text: short(at(sofar, r, c)), kind: "cut" }),
      frames: [outline, place],
    });
    const reach = overlaps(n, k, stride, "valid");
    const most = limitOf(reach);
    counts.draw({
      ...values(reach, { width: cell }), label: `How many stamps reach each cell, up to ${most}`,
      cell: (r, c) => ({
        text: String(at(reach, r, c)), tint: "accent",
        // What is cut is written in a quiet colour, which is read on paper only.
        ...(kept(r, c) ? { level: (0.45 * at(reach, r, c)) / most } : { kind: "cut" }),
      }),
      frames: [outline],
    });
    const cut = size.before + size.after ? " SAME cuts off the dashed cells." : "";
    const corner = `row ${row * stride + 1}, column ${column * stride + 1}`;
    reading.textContent = `${value} × kernel, from ${corner}.${cut}`;
    evenness.textContent = evennessInWords(k, stride);
  }
  return {
    node: () => {
      left.replaceChildren(
        section("input", input), section("kernel", kernel), el("section", {}, stampTitle, stamp));
      return node;
    },
    draw, count: () => state.n ** 2, place: () => state.stamp, go: (place) => { state.stamp = place; },
  };
}

// How evenly a long input's stamps cover the inside of the output.
function evennessInWords(k, stride) {
  const n = 12;
  const reach = overlaps(n, k, stride, "valid");
  const inside = (i) => i >= Math.max(k - stride, 0) && i < n * stride;
  const found = new Set(reach.data.filter((_, i) => cellOf(i, reach).every(inside)));
  const counts = [...found].sort((a, b) => a - b);
  if (counts.length === 1) return `Even: away from the border, each cell gets ${counts[0]}.`;
  const list = `${counts.slice(0, -1).join(", ")} or ${counts.at(-1)}`;
  const gaps = counts[0] === 0 ? "Gaps" : "Uneven, a checkerboard";
  return `${gaps}: away from the border, cells get ${list}.`;
}

// --- inserted zeros

function zerosView(state, kernel, redraw) {
  const turned = grid("Kernel, turned by half a turn", "flipped");
  const input = grid("Input with zeros", "spread");
  const result = grid("Output", "output", (row, column) => {
    state.output = row * result.size + column;
    redraw();
  });
  const [inputTitle, resultTitle] = [el("h3"), el("h3")];
  const reading = el("p", { class: "read reading", role: "status", "aria-live": "polite" });
  const note = el("p", { class: "quiet" });
  const left = el("div", { class: "side" });
  const node = el("div", { class: "three" }, left,
    el("section", {}, inputTitle, input), el("section", {}, resultTitle, result, reading));

  function draw(map, size, { em, more, roomy, weight, width }) {
    const { n, k, stride, padding } = state;
    const turnedKernel = flipped(state.kernel);
    const { map: wide, source } = spread(map, state.kernel, stride, padding);
    const out = throughZeros(map, state.kernel, stride, padding);
    const [row, column] = cellOf(state.output, out);
    result.size = out.width;
    result.chosen = [row, column];
    turned.draw({
      rows: k, columns: k, ...weight,
      cell: (r, c) => ({ text: short(at(turnedKernel, r, c)) }),
    });
    const room = roomy ? width - 11 * em * more - 2 * em : width;
    const columns = roomy ? wide.width + out.width : wide.width;
    const cell = Math.floor(Math.min(2.1 * em * more, (room - 8) / columns));
    inputTitle.textContent = `input with zeros, ${wide.height} × ${wide.width}`;
    note.textContent = `The values stand ${stride} apart, the stride. Then comes an ordinary convolution, `
      + "stride 1.";
    input.draw({
      ...values(wide, { width: cell }),
      label: `The input spread to ${wide.height} × ${wide.width} with zeros`,
      cell: (r, c) => (at(source, r, c) < 0 ? { text: "0", kind: "padding" }
        : { text: short(at(wide, r, c)), tint: "ink", level: 0.15 + at(wide, r, c) / 20 }),
      frames: [{ row, column, rows: k, columns: k, kind: "window" }],
    });
    resultTitle.textContent = `output, ${out.height} × ${out.width}`;
    result.draw({
      ...values(out, { width: cell }),
      label: `Output, ${out.height} × ${out.width}. Arrow keys choose a cell.`,
      cell: (r, c) => signed(at(out, r, c), limitOf(out)),
      frames: [{ row, column, rows: 1, columns: 1, kind: "chosen" }],
    });
    const terms = turnedKernel.data.flatMap((weight, place) => {
      const [r, c] = cellOf(place, turnedKernel);
      const number = at(source, row + r, column + c);
      return number < 0 ? [] : [`${short(map.data[number])}·${bracketed(weight)}`];
    });
    reading.textContent = `row ${row + 1}, column ${column + 1}: ${terms.join(" + ") || "only zeros"} = `
      + `${short(at(out, row, column), 4)}. ${k * k - terms.length} of ${k * k} weights meet a zero.`;
  }
  return {
    node: () => {
      left.replaceChildren(section("kernel", kernel), section("turned by half a turn", turned),
        note);
      return node;
    },
    draw,
    count: () => transposedSize(state.n, state.k, state.stride, state.padding).size ** 2,
    place: () => state.output, go: (place) => { state.output = place; },
  };
}

// --- the matrix, for one row

function matrixView(state, kernel, redraw) {
  const forward = grid("The convolution’s matrix", "convolution-matrix");
  const back = grid("Its transpose", "matrix", (row, column) => {
    Object.assign(state, { row, column });
    redraw();
  });
  const [x, y] = [grid("Input", "vector-x"), grid("Output", "vector-y")];
  const [forwardTitle, backTitle] = [el("h3"), el("h3")];
  const reading = el("p", { class: "read reading", role: "status", "aria-live": "polite" });
  const inverse = el("p", { class: "read inverse" });
  const left = el("div", { class: "beside" });
  const node = el("div", { class: "matrices" },
    el("div", { class: "forward" }, el("section", {}, forwardTitle, forward), reading, inverse, left),
    el("div", { class: "product" }, el("section", {}, backTitle, back), el("span", {}, "·"),
      section("input", x), el("span", {}, "="), section("output", y)));

  function draw(square, size, { em, more, roomy, width }) {
    const { stride, padding, row, column } = state;
    const first = (map) => ({ data: map.data.slice(0, map.width), height: 1, width: map.width });
    const [map, line] = [first(square), first(state.kernel)];
    const matrix = convolutionMatrix(map, line, [1, stride], padding);
    const transposed = transposedOf(matrix);
    const out = times(transposed, map.data);
    const again = times(matrix, out);
    const room = roomy ? (width - 12 * em) / (matrix.width + matrix.height)
      : Math.min((width - 8) / matrix.width, (width - 11 * em) / matrix.height);
    const cell = {
      width: Math.floor(Math.min(2.1 * em * more, room)),
      height: Math.floor(Math.min(1.9 * em, (20 * em) / matrix.width) * more),
    };
    const limit = Math.max(...line.data.map(Math.abs));
    const entry = (value) => ({ ...signed(value, limit), kind: value ? "" : "padding" });
    forwardTitle.textContent = `convolution, C: ${matrix.height} × ${matrix.width}`;
    forward.draw({
      ...values(matrix, cell), label: `Matrix of the convolution, ${matrix.height} × ${matrix.width}`,
      cell: (r, c) => entry(at(matrix, r, c)),
      frames: [
        { row: column, column: 0, rows: 1, columns: matrix.width, kind: "window" },
        { row: 0, column: row, rows: matrix.height, columns: 1, kind: "chosen" },
      ],
    });
    backTitle.textContent = `transposed, Cᵀ: ${transposed.height} × ${transposed.width}`;
    back.chosen = [row, column];
    back.draw({
      ...values(transposed, cell), label: "Transposed matrix. Arrow keys choose a row and a column.",
      cell: (r, c) => entry(at(transposed, r, c)),
      frames: [
        { row: 0, column, rows: transposed.height, columns: 1, kind: "window" },
        { row, column: 0, rows: 1, columns: transposed.width, kind: "chosen" },
      ],
    });
    const vector = (data) => ({ rows: data.length, columns: 1, width: 2.2 * em, height: cell.height });
    x.draw({
      ...vector(map.data), cell: (r) => ({ text: short(map.data[r]), tint: "ink", level: map.data[r] / 20 }),
      frames: [{ row: column, column: 0, rows: 1, columns: 1, kind: "window" }],
    });
    y.draw({
      ...vector(out), cell: (r) => signed(out[r], Math.max(...out.map(Math.abs))),
      frames: [{ row, column: 0, rows: 1, columns: 1, kind: "chosen" }],
    });
    const terms = map.data.flatMap((value, c) =>
      (at(transposed, row, c) ? [`${short(value)}·${bracketed(at(transposed, row, c))}`] : []));
    const sum = terms.join(" + ") || "nothing";
    reading.textContent = `Row ${row + 1} collects: ${sum} = ${short(out[row], 4)}. `
      + `Column ${column + 1} of Cᵀ is the kernel: times the ${ORDINALS[column]} input, `
      + `${short(map.data[column])}, a stamp.`;
    const same = again.every((value, i) => Math.abs(value - map.data[i]) < 1e-9);
    const list = (numbers) => `(${numbers.map((value) => short(value)).join(", ")})`;
    inverse.textContent = `Not the inverse: C · output = ${list(again)}, `
      + `${same ? "which only for a kernel like this one is" : "not"} the input ${list(map.data)}.`;
    inverse.dataset.again = again.join(" ");
  }
  return {
    node: () => {
      left.replaceChildren(section("kernel: its first row", kernel),
        el("p", { class: "quiet" }, "In one dimension, with the first rows of input and kernel: the matrix "
          + "for two dimensions is too large to read."));
      return node;
    },
    draw,
    count: () => transposedSize(state.n, state.k, state.stride, state.padding).size,
    place: () => state.row, go: (place) => { state.row = place; },
  };
}

// --- the handout's drawing

function drawing() {
  const square = (x, y, side, fill, opacity = 1) => svg("rect", {
    x, y, width: side, height: side, fill, "fill-opacity": opacity, stroke: "#333", "stroke-width": 1,
  });
  const text = (x, y, words) =>
    svg("text", { x, y, "text-anchor": "middle", style: "font-size: 12px; fill: #000" }, words);
  const stamps = [0, 1, 2, 3].map((i) =>
    square(140 + 28 * (i % 2), 2 + 28 * Math.floor(i / 2), 42, "#000", 0.16));
  const numbers = [2, 1, 3, 4].flatMap((value, i) => {
    const [x, y] = [20 + 24 * (i % 2), 14 + 24 * Math.floor(i / 2)];
    return [square(x, y, 24, "#fff"), text(x + 12, y + 16, String(value))];
  });
  return drawn("Four values stamp their kernels, which overlap",
    ...numbers, text(104, 42, "stamp →"), ...stamps, text(44, 87, "2 × 2"), text(176, 87, "overlaps add"));
}
