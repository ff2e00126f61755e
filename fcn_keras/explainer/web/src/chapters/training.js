// Training: the loss falls, and the prediction comes into being, step by step (L24).
import { count } from "../ui/counts.js";
import { canvas, el, number, percent, slider, svg } from "../ui/dom.js";
import { argmax, overlay, show } from "../ui/draw.js";
import { frame } from "../ui/frame.js";
import { looked } from "../ui/looked.js";
import { newest } from "../ui/newest.js";
import { picker } from "../ui/picker.js";
import { iou } from "../ui/scores.js";
import { mapOf, tensorOf } from "../network/predict.js";

const AROUND = 10; // steps before and after, whose mean smooths the curve
const HEIGHT = 190; // of the curve, in units that are pixels at 1280 × 720
const PLOT = { left: 62, right: 12, top: 10, bottom: 34 };

export default {
  id: "training",
  title: "Training",
  claims: ["L24"],
  minutes: 4,
  question: {
    ask: "The head, the layers behind the encoder, starts with random weights. When does the loss fall most?",
    answers: ["Evenly, a little with every step", "In the first steps", "In the last steps"],
    right: 1,
    because:
      "Random scores are easy to improve: a few steps bring most of the fall. The rest goes into details.",
  },
  todo:
    "Scrub with the slider, or along the curve: watch the loss and the prediction together. Try a picture " +
    "of yours.",
  sentence:
    "Training turns random weights step by step into a predictor; the frozen encoder stays as it was.",
  notes: [
    "Ask for a guess of the picture at step 0 before showing it.",
    "The loss axis is logarithmic: the same distance means the same factor.",
    "To save room, the weights of all checkpoints but the last are rounded coarsely; the curve is exact.",
    "The thin line jumps because every step looks at another batch; the thick one is the mean of its " +
      "neighbours.",
    "Frozen does not mean unused: the encoder computes its maps for every picture, but no step " +
      "changes its weights.",
    "Usual misconception: “a low loss means good edges.” Compare the loss with the picture near the end.",
  ],
  drawing,
  build,
};

function build(stage, { page, say }) {
  const failed = (error) => say(error.message);
  const { contents } = page;
  const { checkpoints } = page.networks;
  const { loss } = contents;
  const { object } = page; // the class whose IoU is shown
  let at = 0;
  let seen = null;
  let head = null; // what the heads read of this picture, and what they found

  const wide = stage.clientWidth < 600 ? 400 : 860; // units across: text stays readable on a phone
  const curve = curveOf(loss, checkpoints, wide, (next) => {
    scrub.set(next);
    choose(next);
  });
  const scrub = slider(
    "Checkpoint",
    {
      min: 0,
      max: checkpoints.length - 1,
      value: 0,
      shown: (i) => `after step ${checkpoints[i].step}`,
    },
    (next) => choose(next),
  );
  const picture = canvas("What the head finds in the picture", 1, 1, { id: "training-picture" });
  const read = el("dl", { class: "read", id: "training-read" });
  const heard = el("div", { role: "status", "aria-live": "polite" }, read); // a list has no other role
  const strip = stripOf(checkpoints, (next) => {
    scrub.set(next);
    choose(next);
  });
  const row = picker(page, say);
  stage.append(
    row,
    curve.box,
    scrub,
    strip.box,
    el("div", { class: "training-below" }, picture, el("div", {}, heard, frozenNote(contents))),
  );

  const update = newest(async (_, still) => {
    const next = await looked(page);
    if (!still()) return;
    head?.free();
    head = null;
    seen = next;
    show(picture, seen.image);
    strip.picture(seen.image);
    render();
    const network = await page.network();
    if (!still()) return;
    await frame();
    if (!still()) return;
    head = new Heads(network, checkpoints, seen, object);
    render();
    for (let i = 0; i < checkpoints.length; i += 1) {
      // one after the other; scrubbing goes first
      await frame();
      if (!still()) return;
      strip.result(i, head.result(i), seen.image, page.colours);
    }
  }, failed);
  const draw = newest(() => render(), failed);
  function choose(next) {
    at = next;
    curve.mark(at);
    strip.choose(at);
    draw();
  }
  function render() {
    const { step } = checkpoints[at];
    curve.mark(at);
    strip.choose(at);
    const result = head?.result(at);
    if (result) show(picture, overlay(seen.image, result.found, page.colours));
    const line = (term, text) => el("div", {}, el("dt", {}, term), el("dd", {}, text));
    read.replaceChildren(
      line("Training loss", lossText(loss, step)),
      line(
        `IoU of ${page.classes[object].name}`,
        !result ? "…" : result.iou === null ? "no labels" : percent(result.iou, 1),
      ),
    );
    Object.assign(read.dataset, { step, iou: result?.iou ?? "", ready: result ? seen.id : "" });
  }

  page.addEventListener("picture", update);
  update();
  return {
    stop() {
      page.removeEventListener("picture", update);
      update.stop();
      draw.stop();
      row.stop();
      head?.free();
      head = null;
    },
  };
}

// The loss that the weights after so many steps had on the next batch; the last have none.
function lossText(loss, step) {
  return step < loss.length
    ? `${number(loss[step], 3)} (next batch)`
    : `${number(loss.at(-1), 3)} (last batch)`;
}

// --- what is computed: the frozen encoder once for a picture, then only the heads

class Heads {
  #results = [];

  constructor(network, checkpoints, { image, labels }, object) {
    Object.assign(this, { network, checkpoints, labels, object });
    const model = checkpoints.at(-1).model;
    const { features } = network.border(model);
    const given = { image: tensorOf(network.tf, image) };
    this.given = {
      ...given,
      ...network.run(
        model,
        features.filter((name) => name !== "image"),
        given,
      ),
    };
  }

  result(i) {
    if (!this.#results[i]) {
      const { output } = this.network.run(this.checkpoints[i].model, ["output"], this.given);
      const found = argmax(mapOf(output));
      output.dispose();
      this.#results[i] = { found, iou: this.labels ? iou(found, this.labels, this.object) : null };
    }
    return this.#results[i];
  }

  free() {
    new Set(Object.values(this.given)).forEach((tensor) => tensor.dispose());
  }
}

function frozenNote({ layers }) {
  const sum = (trained) =>
    layers.filter((row) => row.trained === trained).reduce((all, { parameters }) => all + parameters, 0);
  return el(
    "p",
    { class: "frozen-note" },
    el("strong", {}, "Frozen"),
    `: no step changes the encoder's ${count(sum(false))} weights. Only the head's ` +
      `${count(sum(true))} weights learn. A batch: the few training pictures of one step.`,
  );
}

// --- the loss curve

function curveOf(loss, checkpoints, width, onchoose) {
  // Narrow at the start, where the loss falls steeply; the last window stays as wide as it is.
  const smooth = loss.map((_, i) => {
    const reach = Math.min(AROUND, Math.floor(i / 3), Math.floor((loss.length - 1) / 2));
    const last = Math.min(loss.length - 1, i + reach);
    const near = loss.slice(last - 2 * reach, last + 1);
    return near.reduce((a, b) => a + b, 0) / near.length;
  });
  const positive = loss.filter((value) => value > 0);
  const [low, high] = [Math.min(...positive), Math.max(...positive)];
  const x = (step) => PLOT.left + (step / loss.length) * (width - PLOT.left - PLOT.right);
  const y = (value) => {
    const share = (Math.log(Math.max(value, low)) - Math.log(low)) / (Math.log(high / low) || 1);
    return HEIGHT - PLOT.bottom - share * (HEIGHT - PLOT.top - PLOT.bottom);
  };
  const path = (values) =>
    values.map((value, i) => `${i ? "L" : "M"}${x(i).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  const marker = svg("path", { class: "marker" });
  const dot = svg("circle", { class: "dot", r: 6 });
  const axis = width > 600 ? "loss (logarithmic axis) after each training step" : "loss (logarithmic), by step";
  const dots = checkpoints.map(({ step }) =>
    svg("circle", { class: "step", r: 4.5, cx: x(step), cy: HEIGHT - PLOT.bottom }),
  );
  const drawing = svg(
    "svg",
    {
      viewBox: `0 0 ${width} ${HEIGHT}`,
      role: "img",
      "aria-label": "Loss after each step, on a logarithmic axis",
    },
    ...ticksOf(low, high).flatMap((value) => [
      svg("path", { class: "grid", d: `M${PLOT.left} ${y(value)}H${width - PLOT.right}` }),
      svg("text", { x: PLOT.left - 8, y: y(value), dy: "0.35em", "text-anchor": "end" }, String(value)),
    ]),
    ...stepsOf(loss.length, width).map((step) =>
      svg(
        "text",
        { x: x(step), y: HEIGHT - 10, "text-anchor": step === loss.length ? "end" : "middle" },
        String(step),
      ),
    ),
    svg("text", { x: width - PLOT.right - 4, y: PLOT.top + 14, "text-anchor": "end" }, axis),
    svg("path", {
      class: "axis",
      d: `M${PLOT.left} ${PLOT.top}V${HEIGHT - PLOT.bottom}H${width - PLOT.right}`,
    }),
    svg("path", { class: "raw", d: path(loss) }),
    svg("path", { class: "smooth", d: path(smooth) }),
    ...dots,
    marker,
    dot,
  );
  const box = el("div", { class: "training-curve" }, drawing);

  let held = false;
  const pointed = (event) => {
    const sides = drawing.getBoundingClientRect();
    const place = ((event.clientX - sides.left) / sides.width) * width;
    const far = checkpoints.map(({ step }) => Math.abs(x(step) - place));
    onchoose(far.indexOf(Math.min(...far)));
  };
  drawing.addEventListener("pointerdown", (event) => {
    held = true;
    drawing.setPointerCapture(event.pointerId);
    pointed(event);
  });
  drawing.addEventListener("pointermove", (event) => {
    if (held) pointed(event);
  });
  drawing.addEventListener("pointerup", () => {
    held = false;
  });
  drawing.addEventListener("pointercancel", () => {
    held = false;
  });
  return {
    box,
    mark(i) {
      const { step } = checkpoints[i];
      const value = loss[Math.min(step, loss.length - 1)];
      marker.setAttribute("d", `M${x(step)} ${PLOT.top}V${HEIGHT - PLOT.bottom}`);
      dot.setAttribute("cx", x(step));
      dot.setAttribute("cy", y(value));
      Object.assign(box.dataset, { step, loss: value, place: x(step) / width });
    },
  };
}

// 0.01, 0.1, 1 and, where there is room, numbers between them.
function ticksOf(low, high) {
  const all = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power += 1) {
    for (const first of high / low < 30 ? [1, 2, 5] : [1]) all.push(Number(`${first}e${power}`));
  }
  return all.filter((value) => value >= low * 0.999 && value <= high * 1.001);
}

function stepsOf(last, width) {
  const rough = last / (width / 140);
  const power = 10 ** Math.floor(Math.log10(Math.max(1, rough)));
  const step = [1, 2, 5, 10].map((first) => first * power).find((each) => each >= rough);
  return Array.from({ length: Math.floor(last / step) + 1 }, (_, i) => i * step);
}

// --- a small picture for every checkpoint

function stripOf(checkpoints, onchoose) {
  const pictures = checkpoints.map(({ step }) => canvas(`prediction after step ${step}`));
  const notes = checkpoints.map(() => el("span", { class: "read" }, ""));
  const buttons = checkpoints.map(({ step }, i) =>
    el(
      "button",
      {
        type: "button",
        class: "thumbnail",
        "data-step": step,
        "aria-pressed": "false",
        onclick: () => onchoose(i),
      },
      pictures[i],
      el("span", {}, `step ${step}`),
      notes[i],
    ),
  );
  return {
    box: el("div", { class: "training-strip", role: "group", "aria-label": "Checkpoints" }, ...buttons),
    choose(at) {
      buttons.forEach((node, i) => node.setAttribute("aria-pressed", String(i === at)));
    },
    picture(image) {
      pictures.forEach((small) => show(small, image));
      notes.forEach((note) => {
        note.textContent = "";
      });
      buttons.forEach((node) => {
        delete node.dataset.iou;
      });
    },
    result(i, { found, iou: share }, image, colours) {
      show(pictures[i], overlay(image, found, colours));
      notes[i].textContent = share === null ? "" : `IoU ${percent(share, 0)}`;
      buttons[i].dataset.iou = share ?? "none";
    },
  };
}

// --- for the handout: a falling curve and three pictures

function drawing() {
  const text = (x, y, words) =>
    svg("text", { x, y, style: "fill: currentColor; stroke: none; font-size: 11px" }, words);
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
    svg("path", { d: "M20 6V58H232" }),
    svg("path", { d: "M20 10C26 44 34 50 60 52S140 55 230 56" }),
    text(24, 12, "loss"),
    text(206, 72, "steps"),
    svg("path", { "stroke-dasharray": "2 3", d: "M22 14V64M60 53V64M150 55V64" }),
    ...[
      [12, "M14 72l6 6m4 -6l-4 8m10 -6l4 6"],
      [50, "M52 84q10 -14 24 -6"],
      [140, "M142 86L156 68L172 86"],
    ].map(([x, d]) => svg("g", {}, svg("rect", { x, y: 66, width: 32, height: 20 }), svg("path", { d }))),
  );
}
