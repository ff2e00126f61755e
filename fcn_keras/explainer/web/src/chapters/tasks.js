// Classification and segmentation: what, and what and where (L04–L06).
//
// The scene is drawn into pixels, and the three answers are found in these pixels alone. They know
// nothing of what is dragged where.
import { button, canvas, choice, controls, el, svg } from "../ui/dom.js";
import { colourise, css, SERIES, show } from "../ui/draw.js";
import { count, some } from "../ui/counts.js";
import { movable } from "../ui/move.js";
import { randomNumbers } from "../network/network.js";

const [WIDTH, HEIGHT] = [48, 36];
const SIZES = [17, 11]; // pixels, of the first and of the second shape
const STARTS = [[4, 6], [33, 20]];
const KINDS = ["disc", "square", "triangle"];
// Of labels, background first; a shape has its label's colour in the scene too.
const COLOURS = [[232, 235, 241], SERIES[0], SERIES[1], SERIES[2]];
const colourOf = (kind) => COLOURS[KINDS.indexOf(kind) + 1];
const FAR = 10; // pixels: "somewhere else" is at least as far away

// Whether a shape covers a place; x and y run from −1 to 1.
const COVERS = {
  disc: (x, y) => x * x + y * y <= 1,
  square: () => true,
  triangle: (x, y) => Math.abs(x) <= (y + 1) / 2,
};
// How much of its bounding box a shape fills, wherever it lies.
const FILLED = { disc: Math.PI / 4, square: 1, triangle: 1 / 2 };

// --- the scene, in pixels

const GRAIN = (() => {
  const random = randomNumbers(4);
  return Float32Array.from({ length: WIDTH * HEIGHT }, () => 2 * random() - 1);
})();

function draw(things) {
  const image = new ImageData(WIDTH, HEIGHT);
  for (let y = 0; y < HEIGHT; y += 1) {
    for (let x = 0; x < WIDTH; x += 1) {
      const grain = GRAIN[y * WIDTH + x];
      const covered = things.find(({ kind, left, top, size }) => {
        const at = (place, start) => (2 * (place - start) + 1) / size - 1;
        const [u, v] = [at(x, left), at(y, top)];
        return Math.abs(u) < 1 && Math.abs(v) < 1 && COVERS[kind](u, v);
      });
      const sky = y < 0.58 * HEIGHT;
      const colour = covered ? colourOf(covered.kind) : sky ? [168, 196, 222] : [126, 142, 132];
      const light = covered ? 14 : sky ? 5 + y / 4 : 16;
      image.data.set([...colour.map((value) => value + light * grain), 255], 4 * (y * WIDTH + x));
    }
  }
  return image;
}

// --- the answers, from the pixels

// Connected pixels of a vivid colour; sky and ground are greyish. Which colour does not count:
// what a region shows is told by its form.
function regionsOf({ data, width, height }) {
  const open = Uint8Array.from({ length: width * height }, (_, i) => {
    const colour = data.subarray(4 * i, 4 * i + 3);
    return Math.max(...colour) - Math.min(...colour) > 100;
  });
  const regions = [];
  for (let first = 0; first < open.length; first += 1) {
    if (!open[first]) continue;
    const pixels = [first];
    open[first] = 0;
    for (const i of pixels) { // grows while it is walked over
      const x = i % width;
      const beside = [x > 0 && i - 1, x < width - 1 && i + 1, i >= width && i - width, i + width];
      for (const next of beside) {
        if (next !== false && open[next]) { open[next] = 0; pixels.push(next); }
      }
    }
    regions.push(pixels);
  }
  return regions;
}

function described(pixels, width) {
  const columns = pixels.map((i) => i % width);
  const rows = pixels.map((i) => Math.floor(i / width));
  const [left, right, top, bottom] = [
    Math.min(...columns), Math.max(...columns), Math.min(...rows), Math.max(...rows),
  ];
  const filled = pixels.length / ((right - left + 1) * (bottom - top + 1));
  const off = (kind) => Math.abs(FILLED[kind] - filled);
  const kind = KINDS.reduce((best, next) => (off(next) < off(best) ? next : best));
  return { kind, left, right, top, bottom, pixels };
}

// { label, boxes, labels, counts }: classification, detection, segmentation.
function answersTo(image) {
  const boxes = regionsOf(image).map((pixels) => described(pixels, image.width));
  const labels = new Uint8Array(image.width * image.height);
  const counts = [labels.length, 0, 0, 0];
  for (const { kind, pixels } of boxes) {
    const number = KINDS.indexOf(kind) + 1;
    for (const i of pixels) labels[i] = number;
    counts[number] += pixels.length;
    counts[0] -= pixels.length;
  }
  const most = [1, 2, 3].reduce((best, next) => (counts[next] > counts[best] ? next : best));
  return { label: KINDS[most - 1], boxes, labels, counts };
}

const changedPixels = (a, b) => a.labels.reduce((sum, label, i) => sum + (label !== b.labels[i]), 0);
const placesOf = ({ boxes }) =>
  boxes.map(({ kind, left, top }) => `${kind} ${left} ${top}`).sort().join();

// --- the screen

const SAME = "Same as at the start";

// One of the three answers: its name, a picture of it, its words, what has changed.
function row(name, asks, picture) {
  const words = el("p", { class: "read" });
  const since = el("p", { class: "read since" });
  const box = el("div", { class: "task", "data-task": name.toLowerCase() },
    picture, el("div", {}, el("h3", {}, name), el("p", { class: "quiet" }, asks), words, since));
  const tell = (text, same, what) => {
    words.textContent = text;
    since.textContent = what;
    since.classList.toggle("moved", !same);
  };
  return { box, tell };
}

function build(stage) {
  let kinds = ["disc", null];
  let things = []; // one for each kind that is not null
  let start = null; // the answers at the start

  const scene = canvas("The scene", WIDTH, HEIGHT, { class: "wide", id: "scene" });
  scene.getContext("2d", { willReadFrequently: true });
  const word = el("strong", { id: "label" });
  const tile = el("div", { class: "answer-tile" }, word);
  const boxes = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "answer-tile", "aria-hidden": "true" });
  const mask = canvas("The label of every pixel", WIDTH, HEIGHT, { class: "answer-tile", id: "mask" });
  const classification = row("Classification", "what is there?", tile);
  const detection = row("Detection", "what, in which box?", boxes);
  const segmentation = row("Segmentation", "what is where? (the mask)", mask);
  const spoken = el("p", { class: "hidden", "aria-live": "polite" });
  const field = el("div", { class: "scene" }, scene);
  const hint = el("p", { class: "quiet" });

  const apart = (a, b) => ["left", "top"].some((side) =>
    a[side] > b[side] + b.size || b[side] > a[side] + a.size);
  const fits = (thing, left, top) => things.every((other) =>
    other === thing || apart({ ...thing, left, top }, other));

  // As near to where it is wanted as the edge and the other shape allow.
  function move(thing, wantedLeft, wantedTop) {
    const left = Math.max(0, Math.min(WIDTH - thing.size, wantedLeft));
    const top = Math.max(0, Math.min(HEIGHT - thing.size, wantedTop));
    const place = [[left, top], [left, thing.top], [thing.left, top]].find((at) => fits(thing, ...at));
    if (!place) return;
    [thing.left, thing.top] = place;
    render();
  }

  // All places of the whole pixels where a shape may lie, those with `wanted` only.
  function places(thing, wanted = () => true) {
    const [across, down] = [WIDTH, HEIGHT].map((side) => side - thing.size + 1);
    return Array.from({ length: across * down }, (_, i) => [i % across, Math.floor(i / across)])
      .filter((at) => wanted(...at) && fits(thing, ...at));
  }

  // Puts the shapes that are chosen into the scene, each where it was before; a new one near its start.
  function put() {
    const before = things;
    things = [];
    kinds.forEach((kind, number) => {
      if (!kind) return;
      const [left, top] = STARTS[number];
      const thing = { left, top, ...before.find((other) => other.number === number), kind, number, size: SIZES[number] };
      const off = ([x, y]) => Math.abs(x - thing.left) + Math.abs(y - thing.top);
      [thing.left, thing.top] = places(thing).reduce((best, at) => (off(at) < off(best) ? at : best));
      things.push(thing);
    });
    field.replaceChildren(scene, ...things.map((thing) => {
      const grip = button("", () => {}, { class: "grip", "data-thing": thing.number });
      thing.grip = movable(grip, {
        from: () => [thing.left, thing.top],
        to: (x, y) => move(thing, x, y),
        scale: () => scene.getBoundingClientRect().width / WIDTH,
      });
      return grip;
    }));
    render();
  }

  function restart() {
    kinds = ["disc", null];
    things = [];
    first.set(kinds[0]);
    second.set(kinds[1]);
    put();
  }

  function elsewhere() {
    for (const thing of things) {
      const { left, top } = thing;
      const far = places(thing, (x, y) => Math.max(Math.abs(x - left), Math.abs(y - top)) >= FAR);
      if (far.length) [thing.left, thing.top] = far[Math.floor(Math.random() * far.length)];
    }
    render();
  }

  function render() {
    show(scene, draw(things));
    const answer = answersTo(scene.getContext("2d").getImageData(0, 0, WIDTH, HEIGHT));
    start ??= answer;
    for (const { kind, left, top, size, grip } of things) {
      grip.setAttribute("aria-label", `The ${kind}. Arrow keys move it.`);
      Object.assign(grip.style, {
        left: `${(100 * left) / WIDTH}%`, top: `${(100 * top) / HEIGHT}%`,
        width: `${(100 * size) / WIDTH}%`, height: `${(100 * size) / HEIGHT}%`,
      });
    }
    const changed = changedPixels(answer, start);
    tellLabel(answer);
    tellBoxes(answer);
    tellMask(answer, changed);
    field.setAttribute("aria-label", `Scene: ${answer.boxes.map(({ kind }) => kind).join(" and ")}`);
    spoken.textContent = `Label: ${answer.label}. ${some(changed, "pixel")} changed.`;
    const differ = new Set(things.map(({ kind }) => kind)).size > 1;
    hint.textContent = differ
      ? "One label for two things: here the larger one is named, the other is not."
      : things.length > 1
        ? "Two boxes, but one class: both shapes have the same label in the mask."
        : "The label needs no place. The box and the mask do.";
  }

  function tellLabel({ label }) {
    word.textContent = label;
    tile.style.setProperty("--class", css(colourOf(label)));
    const same = label === start.label;
    classification.tell("1 label for the whole picture", same, same ? SAME : "Another label");
  }

  function tellBoxes(answer) {
    boxes.replaceChildren(...answer.boxes.map(({ kind, left, right, top, bottom }) => svg("rect", {
      x: left, y: top, width: right - left + 1, height: bottom - top + 1, fill: "none",
      stroke: css(colourOf(kind)), "stroke-width": 3, "vector-effect": "non-scaling-stroke",
    })));
    const same = placesOf(answer) === placesOf(start);
    const text = answer.boxes.map(({ kind, left, right, top, bottom }) =>
      `${kind}: x ${left}–${right}, y ${top}–${bottom}`).join("\n");
    const alike = answer.boxes.map(({ kind }) => kind).sort().join() === start.boxes.map(({ kind }) => kind).join();
    detection.tell(text, same, same ? SAME : alike ? "Moved" : "Other boxes");
  }

  function tellMask({ labels, counts }, changed) {
    const shown = colourise(labels, WIDTH, HEIGHT, COLOURS);
    start.labels.forEach((label, i) => { // pale: what it covered at the start
      if (label && !labels[i]) {
        shown.data.set(COLOURS[label].map((value) => 0.3 * value + 0.7 * 245), 4 * i);
      }
    });
    show(mask, shown);
    const named = KINDS.map((kind, i) => [kind, counts[i + 1]]).filter(([, number]) => number > 0);
    const text = named.map(([kind, number]) => `${count(number)} ${kind}`).join(", ");
    mask.dataset.changed = changed;
    segmentation.tell(`${count(labels.length)} labels: ${text}, ${count(counts[0])} background`,
      changed === 0, changed ? `${count(changed)} labels have changed` : SAME);
  }

  const first = choice("Shape", KINDS, kinds[0], (kind) => { kinds = [kind, kinds[1]]; put(); });
  const second = choice("and", [[null, "nothing else"], ...KINDS], null, (kind) => { kinds = [kinds[0], kind]; put(); });
  stage.append(
    controls(first, second),
    el("div", { class: "tasks" },
      el("div", { class: "left" }, field,
        controls(button("Somewhere else", elsewhere), button("Back to the start", restart)), hint,
        el("p", { class: "quiet" }, "No network answers here: a few fixed rules read the drawn pixels.")),
      el("div", { class: "right" }, classification.box, detection.box, segmentation.box)),
    spoken,
  );
  put();
  return { stop() {} };
}

function drawing() {
  const scene = (x) => svg("rect", { x, y: 8, width: 64, height: 48, fill: "none", stroke: "currentColor" });
  const text = (x, words, y = 76) => svg("text", { x, y, "text-anchor": "middle", style: "font-size: 13px; fill: currentColor" }, words);
  const cells = [];
  for (let y = 0; y < 8; y += 1) {
    for (let x = 0; x < 10; x += 1) {
      const covered = (x - 6.5) ** 2 + (y - 3) ** 2 < 6;
      if (covered) cells.push(svg("rect", { x: 170 + 6.4 * x, y: 8 + 6 * y, width: 5.6, height: 5.2, fill: "currentColor" }));
    }
  }
  return svg("svg", { viewBox: "0 0 240 90" },
    scene(4), svg("circle", { cx: 47, cy: 28, r: 15, fill: "none", stroke: "currentColor", "stroke-width": 2 }),
    text(36, "picture"), text(119, "“disc”", 38), text(119, "what"), scene(170), ...cells, text(202, "what, where"));
}

export default {
  id: "tasks",
  title: "Classification and segmentation",
  claims: ["L04", "L05", "L06"],
  minutes: 4,
  question: {
    ask: "A picture gets a label (what it shows) and a mask (which pixels show it). Its disc moves to the right. What changes?",
    answers: ["The label of the picture", "The mask of the disc", "Both"],
    right: 1,
    because: "It still shows a disc, so the label stays. Other pixels show it now, so the mask changes.",
  },
  todo: "Drag the disc, or use the arrow keys. Which of the three answers change? Then choose other shapes.",
  sentence: "Classification says what is there; segmentation says what is where, for every pixel.",
  notes: [
    "Ask for the prediction first; many say “both”, because they think of the picture as a whole.",
    "Drag slowly by one pixel: a few labels at the rim change. Drag far: all pixels of the old and the new place change.",
    "Add a square to the disc: one label must leave one of them out. Which one is this page’s own rule (the larger).",
    "No network answers here. The page reads the drawn pixels; the rule: how much of its bounding box does a region fill? That ratio does not depend on the place, and the colour does not count.",
    "A usual misconception: segmentation tells two discs apart. It gives both the same label; telling them apart is instance segmentation.",
  ],
  drawing,
  build,
};
