// A table of numbers as a drawing: cells with a text and a tint, frames around some of them.
import { clamp, svg } from "./dom.js";

const SMALLEST = 15; // pixels of a text that the last row still reads

// A number as short as it can be written: 3, −0.25.
export function short(value, digits = 2) {
  const rounded = Number(value.toFixed(digits));
  return String(rounded === 0 ? 0 : rounded).replace("-", "−");
}

// grid("Output", "output", choose): an SVG with
//   .draw({ rows, columns, width, height, cell, frames, label })
//     width, height: of a cell, in pixels
//     cell(row, column): { text, tint, level, kind }; tint: name of a colour variable, level 0–1
//     frames: [{ row, column, rows, columns, kind }]
// With `choose(row, column)`, cells are chosen by mouse and arrow keys, starting from `.chosen`.
export function grid(label, name, choose = null) {
  const node = svg("svg", {
    class: "grid", "aria-label": label, "data-grid": name, role: choose ? "application" : "img",
    tabindex: choose ? 0 : null, "data-keys": choose ? "" : null,
  });
  let drawn = { rows: 1, columns: 1 };
  node.chosen = [0, 0];
  node.draw = (next) => {
    drawn = next;
    const { rows, columns, width, height = width, cell, frames = [] } = next;
    if (next.label) node.setAttribute("aria-label", next.label);
    const margin = 2; // for frames
    const [wide, high] = [columns * width + 2 * margin, rows * height + 2 * margin];
    node.setAttribute("viewBox", `${-margin} ${-margin} ${wide} ${high}`);
    node.setAttribute("width", wide);
    node.setAttribute("height", high);
    const cells = [];
    for (let row = 0; row < rows; row += 1) {
      for (let column = 0; column < columns; column += 1) {
        cells.push(drawnCell(cell(row, column), row, column, width, height));
      }
    }
    node.replaceChildren(...cells, ...frames.map(({ row, column, rows: down, columns: right, kind }) =>
      svg("rect", {
        class: `frame ${kind}`,
        x: column * width, y: row * height, width: right * width, height: down * height,
      })));
  };
  if (choose) listen(node, () => drawn, choose);
  return node;
}

// How wide a number is, in em: a point is narrow, a minus sign is broad.
export const breadth = (text) =>
  [...text].reduce((sum, letter) => sum + ({ ".": 0.32, "−": 0.84 }[letter] ?? 0.64), 0) || 1;

function drawnCell({ text = "", tint, level = 0, kind = "" }, row, column, width, height) {
  const box = { x: column * width, y: row * height, width, height };
  const size = clamp(0.55 * height, SMALLEST, 26);
  const fitting = Math.min(size, (width - 2) / breadth(text));
  return svg("g", { class: `cell ${kind}`, "data-row": row, "data-column": column },
    svg("rect", box),
    tint && level > 0
      ? svg("rect", { ...box, class: "tint", style: `fill: var(--${tint}); fill-opacity: ${level}` }) : null,
    text === "" ? null : svg("text", {
      x: box.x + width / 2, y: box.y + height / 2, dy: "0.35em", "text-anchor": "middle",
      style: `font-size: ${fitting}px`,
    }, text));
}

function listen(node, drawn, choose) {
  const pick = (event) => {
    const { rows, columns, width, height = width } = drawn();
    const box = node.getBoundingClientRect();
    const scale = node.viewBox.baseVal.width / box.width;
    const place = (offset, side, count) => clamp(Math.floor((offset * scale - 2) / side), 0, count - 1);
    if (rows && columns) {
      choose(place(event.clientY - box.top, height, rows), place(event.clientX - box.left, width, columns));
    }
  };
  node.addEventListener("click", pick);
  node.addEventListener("pointermove", (event) => {
    if (event.pointerType === "mouse" && event.buttons === 1) pick(event);
  });
  node.addEventListener("keydown", (event) => {
    const { rows, columns } = drawn();
    const [row, column] = node.chosen;
    const moves = {
      ArrowUp: [row - 1, column], ArrowDown: [row + 1, column],
      ArrowLeft: [row, column - 1], ArrowRight: [row, column + 1],
      Home: [0, 0], End: [rows - 1, columns - 1],
    };
    const to = moves[event.key];
    if (!to || !rows || !columns) return;
    event.preventDefault();
    choose(clamp(to[0], 0, rows - 1), clamp(to[1], 0, columns - 1));
  });
}
