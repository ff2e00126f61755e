// A dense layer over a map of 3 × 3, and the convolution with the same nine weights.
import { button, choice, clamp, el, number, slider } from "../ui/dom.js";
import { movable, walkable } from "../ui/move.js";
import { count } from "../ui/counts.js";

const SIDE = 3;
const LARGEST = 7;
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
  const answers = el("div", { class: "grid replies", role: "group", "aria-label": "Answers of the convolution" });
  const grid = walkable(answers, () => size - SIDE + 1, (cell) => look(Number(cell.dataset.row), Number(cell.dataset.column)));
  const unfolded = el("p", { class: "verdict" }, "Press “kernel” to fold the weights.");
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
    field.style.setProperty("--columns", size);
    input.setAttribute("aria-label", `Input of ${size} by ${size} numbers`);
    input.replaceChildren(...Array.from({ length: size * size }, (_, i) =>
      el("span", { class: "cell" }, String(valueAt(Math.floor(i / size), i % size)))));
    kernel.classList.toggle("folded", folded);
    [...kernel.children].forEach((cell, i) => {
      const [x, y] = folded ? [i % SIDE, Math.floor(i / SIDE)] : [0, i];
      cell.style.transform = `translate(calc(${x} * var(--cell)), calc(${y} * var(--cell)))`;
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
    const side = folded ? size - SIDE + 1 : 0;
    unfolded.hidden = folded;
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
    if (focused) answers.firstChild?.focus();
  }

  // The inputs that the weights meet, and their sum: a window; or as a vector the first nine.
  function mark() {
    const [top, left] = chosen;
    const met = (i) => {
      const [row, column] = [Math.floor(i / size), i % size];
      return folded
        ? row >= top && row < top + SIDE && column >= left && column < left + SIDE
        : i < weights.length;
    };
    [...input.children].forEach((cell, i) => {
      cell.classList.toggle("seen", met(i));
      cell.classList.toggle("left-over", !folded && !met(i));
    });
    [...answers.children].forEach((cell) =>
      cell.setAttribute("aria-current", String(Number(cell.dataset.row) === top && Number(cell.dataset.column) === left)));
    const values = [...input.children].filter((_, i) => met(i)).map((cell) => cell.textContent);
    const terms = weights.map((weight, i) => `${text(weight)} · ${values[i]}`);
    sum.textContent = folded || size === SIDE
      ? `${terms.join(" + ").replaceAll("+ −", "− ")} = ${text(weighted(weights, ...(folded ? chosen : [0, 0])))}`
      : `Nine inputs meet a weight. The other ${count(size * size - weights.length)} have none.`;
  }

  const column = (title, ...children) => el("section", { class: "column" }, el("h3", {}, title), ...children);
  place.append(
    el("div", { class: "controls" }, sideOf, form),
    el("div", { class: "folding" },
      column("Input", field),
      column("Nine weights", kernel),
      el("div", { class: "verdicts" },
        column("Dense layer", el("p", { class: "quiet" }, "one weight for each input"), dense),
        column("Convolution", el("p", { class: "quiet" }, "the same weights in every window"), unfolded, answers))),
    sum,
    el("p", { class: "quiet" }, "Click a weight to change it, an answer to see its window."),
  );
  render();
  return { stop() {} };
}
