// Strokes that a visitor paints on a picture, with the pointer or with keys.
import { clamp, el, svg } from "./dom.js";
import { pointed } from "./draw.js";

const VOID = 255; // what nobody painted
const STEP = 4; // pixels that an arrow key moves the brush

// Labels as strokes made them. A stroke is { number: its class, radius, points: [[x, y], …] }.
export class Strokes {
  constructor(width, height) {
    Object.assign(this, { width, height, list: [] });
    this.labels = new Uint8Array(width * height).fill(VOID);
  }

  begin(number, radius, x, y) {
    this.list.push({ number, radius, points: [[x, y]] });
    this.#stamp(this.list.at(-1), [x, y], [x, y]);
  }

  extend(x, y) {
    const stroke = this.list.at(-1);
    this.#stamp(stroke, stroke.points.at(-1), [x, y]);
    stroke.points.push([x, y]);
  }

  // Takes strokes away, or changes their class: `change` returns the stroke's class, or null.
  change(change) {
    this.list = this.list.filter((stroke, place) => {
      const number = change(stroke.number, place);
      if (number !== null) stroke.number = number;
      return number !== null;
    });
    this.labels.fill(VOID);
    for (const stroke of this.list) {
      stroke.points.forEach((point, i) => this.#stamp(stroke, stroke.points[Math.max(0, i - 1)], point));
    }
  }

  undo() {
    this.change((number, place) => (place === this.list.length - 1 ? null : number));
  }

  clear() {
    this.change(() => null);
  }

  // How many pixels each of so many classes has.
  counts(classes) {
    const found = new Array(classes).fill(0);
    for (const label of this.labels) if (label !== VOID) found[label] += 1;
    return found;
  }

  // Every pixel no further than the radius from the line between two points.
  #stamp({ number, radius }, [ax, ay], [bx, by]) {
    const { width, height, labels } = this;
    const [dx, dy] = [bx - ax, by - ay];
    const squared = dx * dx + dy * dy;
    const [top, bottom] = [Math.min(ay, by) - radius, Math.max(ay, by) + radius];
    const [left, right] = [Math.min(ax, bx) - radius, Math.max(ax, bx) + radius];
    for (let y = Math.max(0, Math.ceil(top)); y <= Math.min(height - 1, bottom); y += 1) {
      for (let x = Math.max(0, Math.ceil(left)); x <= Math.min(width - 1, right); x += 1) {
        const along = (x - ax) * dx + (y - ay) * dy;
        const across = (x - ax) * dy - (y - ay) * dx;
        const within = along <= 0 ? (x - ax) ** 2 + (y - ay) ** 2 <= radius * radius
          : along >= squared ? (x - bx) ** 2 + (y - by) ** 2 <= radius * radius
            : across * across <= radius * radius * squared; // whole numbers: no rounding
        if (within) labels[y * width + x] = number;
      }
    }
  }
}

// A canvas to paint on, with a ring that shows where the brush is.
//   chosen(): { number, radius, colour } of the next stroke
//   strokes(): the Strokes; changed(): called when something was painted
//   tell(sentence): for a screen reader
//   fingers(): whether a finger paints; if not, it scrolls
// Returns { box, canvas, place(width, height), stop() }.
export function paintable(canvas, { chosen, strokes, changed, tell, undo, fingers }) {
  const ring = svg("circle", { class: "ring" });
  const inner = svg("circle", { class: "ring inner" });
  const over = svg("svg", { class: "brush", "aria-hidden": "true" }, ring, inner);
  const box = el("div", { class: "paintable fit" }, canvas, over);
  let [x, y] = [0, 0];
  let down = false; // whether the keyboard's brush is on the picture
  let drawing = null; // the pointer that is drawing

  function show() {
    const { radius } = chosen();
    for (const circle of [ring, inner]) {
      circle.setAttribute("cx", x + 0.5);
      circle.setAttribute("cy", y + 0.5);
      circle.setAttribute("r", radius);
    }
    box.classList.toggle("down", down || drawing !== null);
  }
  function begin() {
    const { number, radius } = chosen();
    strokes().begin(number, radius, x, y);
    changed();
  }
  function move(toX, toY, paints) {
    [x, y] = [clamp(toX, 0, canvas.width - 1), clamp(toY, 0, canvas.height - 1)];
    if (paints) {
      strokes().extend(x, y);
      changed();
    }
    show();
  }
  function lift() {
    down = false;
    drawing = null;
    show();
  }

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || drawing !== null || (event.pointerType === "touch" && !fingers())) return;
    event.preventDefault();
    canvas.focus({ preventScroll: true });
    lift();
    drawing = event.pointerId;
    canvas.setPointerCapture(event.pointerId);
    const at = pointed(canvas, event);
    move(at.x, at.y, false);
    begin();
    show();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (drawing !== null && event.pointerId !== drawing) return;
    if (drawing === null && down) return; // the keys have the brush
    const at = pointed(canvas, event);
    move(at.x, at.y, drawing !== null);
  });
  for (const name of ["pointerup", "pointercancel"]) {
    canvas.addEventListener(name, (event) => { if (event.pointerId === drawing) lift(); });
  }
  canvas.addEventListener("keydown", (event) => {
    const far = event.shiftKey ? 5 * STEP : STEP;
    const by = { ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, -far], ArrowDown: [0, far] }[event.key];
    if (event.key.toLowerCase() === "z" && (event.ctrlKey || event.metaKey) && !event.shiftKey) {
      lift();
      undo();
    } else if (event.ctrlKey || event.metaKey || event.altKey) {
      return;
    } else if (by) {
      move(x + by[0], y + by[1], down);
    } else if (event.key === " ") {
      down = !down;
      if (down) begin();
      tell(down ? `The brush is down at ${x}, ${y}; arrow keys paint.` : "The brush is up.");
      show();
    } else if (event.key === "Escape") {
      lift();
    } else {
      return;
    }
    event.preventDefault();
  });
  canvas.addEventListener("blur", () => { if (down) lift(); });

  return {
    box,
    show,
    lift,
    // The picture's size; the brush goes to its middle.
    place(width, height) {
      lift();
      [x, y] = [Math.floor(width / 2), Math.floor(height / 2)];
      over.setAttribute("viewBox", `0 0 ${width} ${height}`);
      show();
    },
  };
}
