// A dense layer over a map of 3 × 3, and the convolution with the same nine weights.
import { button, choice, clamp, el, number, slider } from "../ui/dom.js";
import { movable, walkable } from "../ui/move.js";
import { count } from "../ui/counts.js";

const SIDE = 3;
const LARGEST = 7;
const CELL = 2.2; // em
const START = [1, 0, -1, 2, 0, -2, 1, 0, -1];

// The input, the same numbers at the same place however large it is.
const valueAt = (row, column) => (3 * row * row + 5 * column + 2 * row * column + 4) % 10;

// The answer of the nine weights at one place.
function weighted(weights, top, left) {
  return weights.reduce((sum, weight, i) =>
    sum + weight * valueAt(top + Math.floor(i / SIDE), left + (i % SIDE)), 0);
}

const text = (value) => number(value, 0);

export function folding(place) {
  let size = SIDE;
  let weights = [...START];
  let folded = false;
  let chosen = [0, 0]; // the answer that is looked at: row, column

  const input = el("div", { class: "grid input", role: "img" });
  const handle = button("◢", () => {}, { class: "corner", "aria-label": "Corner of the input: arrow keys change its size" });
  const field = el("div", { class: "field" }, input, handle);
  const kernel = el("div", { class: "nine", role: "group", "aria-label": "Weights" },
    ...START.map((_, i) => button("", () => turn(i), { class: "cell" })));
  walkable(kernel, () => (folded ? SIDE : START.length));
  const dense = el("output", { class: "read verdict", id: "dense" });
  const answers = el("div", { class: "grid answers", role: "group", "aria-label": "Answers of the convolution" });
  const grid = walkable(answers, () => size - SIDE + 1, (cell) => look(Number(cell.dataset.row), Number(cell.dataset.column)));
  const sum = el("p", { class: "read", id: "sum", "aria-live": "polite" });
  const form = choice("Weights as a", [[false, "vector"], [true, "kernel"]], false, (value) => { folded = value; render(); });
  const sideOf = slider("Input", { min: SIDE, max: LARGEST, value: SIDE, shown: (n) => `${n} × ${n}` }, resize);

  movable(handle, {
    from: () => [size, size],
    to: (x, y) => resize(x !== size ? x : y), // either direction changes both sides
    scale: () => input.getBoundingClientRect().width / size,
  });

  function resize(wanted) {
    size = clamp(wanted, SIDE, LARGEST);
    sideOf.set(size);
    chosen = chosen.map((at) => Math.min(at, size - SIDE));
    render();
  }

  // −2, −1, 0, 1, 2, and from the beginning.
  function turn(i) {
    weights = weights.map((weight, k) => (k === i ? ((weight + 3) % 5) - 2 : weight));
    render();
  }

  function look(row, column) {
    chosen = [row, column];
    mark();
  }

  function render() {
    input.style.setProperty("--columns", size);
    input.setAttribute("aria-label", `Input of ${size} by ${size} numbers`);
    input.replaceChildren(...Array.from({ length: size * size }, (_, i) =>
      el("span", { class: "cell" }, String(valueAt(Math.floor(i / size), i % size)))));
    kernel.classList.toggle("folded", folded);
    [...kernel.children].forEach((cell, i) => {
      const [x, y] = folded ? [i % SIDE, Math.floor(i / SIDE)] : [0, i];
      cell.style.transform = `translate(${x * CELL}em, ${y * CELL}em)`;
      cell.textContent = text(weights[i]);
      cell.setAttribute("aria-label", `Weight ${i + 1}: ${text(weights[i])}`);
    });
    const fits = size === SIDE;
    dense.classList.toggle("refused", !fits);
    dense.textContent = fits
      ? text(weighted(weights, 0, 0))
      : `No answer: ${count(size * size)} inputs, ${weights.length} weights.`;
    renderAnswers();
    mark();
  }

  function renderAnswers() {
    const side = size - SIDE + 1;
    const focused = answers.contains(document.activeElement);
    answers.style.setProperty("--columns", side);
    answers.replaceChildren(...Array.from({ length: side * side }, (_, i) => {
      const [row, column] = [Math.floor(i / side), i % side];
      const value = text(weighted(weights, row, column));
      return button(value, () => look(row, column), {
        class: "cell", "data-row": row, "data-column": column,
        "aria-label": `Row ${row + 1}, column ${column + 1}: ${value}`,
      });
    }));
    grid.restart();
    if (focused) answers.firstChild.focus();
  }

  // The window of the answer that is looked at, and its sum.
  function mark() {
    const [top, left] = chosen;
    const inside = (row, column) => row >= top && row < top + SIDE && column >= left && column < left + SIDE;
    [...input.children].forEach((cell, i) =>
      cell.classList.toggle("seen", inside(Math.floor(i / size), i % size)));
    [...answers.children].forEach((cell) =>
      cell.setAttribute("aria-current", String(Number(cell.dataset.row) === top && Number(cell.dataset.column) === left)));
    const terms = weights.map((weight, i) =>
      `${text(weight)} · ${valueAt(top + Math.floor(i / SIDE), left + (i % SIDE))}`);
    sum.textContent = `${terms.join(" + ").replaceAll("+ −", "− ")} = ${text(weighted(weights, top, left))}`;
  }

  const column = (title, ...children) => el("section", { class: "column" }, el("h3", {}, title), ...children);
  place.append(
    el("div", { class: "controls" }, sideOf, form),
    el("div", { class: "folding" },
      column("Input", field),
      column("Nine weights", kernel),
      el("div", { class: "verdicts" },
        column("Dense layer: one weight for each input", dense),
        column("Convolution: the same weights in every window", answers))),
    sum,
    el("p", { class: "quiet" }, "Click a weight to change it, an answer to see its window."),
  );
  render();
  return { stop() {} };
}
