// Paint and train: a visitor's strokes train a head behind the frozen encoder, here (L22, L24).
import { paintable, Strokes } from "../ui/brush.js";
import { button, canvas, choice, controls, el, figure, newId, number, percent, slider, svg } from "../ui/dom.js";
import { argmax, css, overlay, SERIES, show } from "../ui/draw.js";
import { frame } from "../ui/frame.js";
import { picker } from "../ui/picker.js";
import { scoresOf } from "../ui/scores.js";
import { fileName, png, pngOf, safetensors, save, zip } from "../files.js";
import { Head, VOID } from "../network/training.js";

const STEPS = 40;
const RATE = 3e-3; // falls along a cosine, as in fcn_keras/lecture/photographs.py
const REPAINTED = 4; // steps
const MOST = 6; // classes: as many as the page's network has channels
const README = `Painted in the FCN Explainer. The masks hold the numbers of classes.txt; 255 is what nobody painted.
Unpack this file into a folder of its own. With two pictures or more:

    python -m fcn_keras train FOLDER --network fcn --batch-size 1 --steps 80 --learning-rate 0.003 --out my.keras
`;
const KEPT = new WeakMap(); // page → what was painted on each picture
const LAST = new WeakMap(); // page → the picture that was here last

// What was painted on a picture, and the head that learned from it.
function paintingOf(page, picture) {
  if (!KEPT.has(page)) KEPT.set(page, new Map());
  const kept = KEPT.get(page);
  const known = kept.get(picture.id);
  if (known?.picture === picture) return known;
  // Pictures of one's own are probably about the same things.
  const names = picture.classes?.slice(0, MOST) ?? [...kept.values()].at(-1)?.classes ?? ["background", "thing"];
  const { width, height } = picture.image;
  const made = {
    picture, classes: names, strokes: new Strokes(width, height), losses: [], seed: 0,
    weights: null, // of the head, and the number of each class in them if classes have changed since
    was: null,
    removed: null, // what there was before a class was removed
  };
  kept.set(picture.id, made);
  return made;
}

// What is wrong with a class's name, or "". Names stand in classes.txt, one a line.
function wrongName(name, others) {
  if (!/^\p{L}[\p{L}\p{M}\p{N} _-]*$/u.test(name)) {
    return "A class has a name of letters, digits, spaces, - or _, and begins with a letter.";
  }
  if (/^(void|ignored?)$/i.test(name)) return "Void is what nobody paints. Give the class another name.";
  if (others.some((other) => other.toLowerCase() === name.toLowerCase())) {
    return `Two classes cannot both be called ${name}.`;
  }
  return "";
}

// classes.txt: what each number in a mask means. "road 1 2 3" would be read as a colour.
const listOf = (names) => [
  ...names.map((name, k) => `${k}: ${name.replace(/ (?=\p{N})/gu, "_")}`), `${VOID}: void`, "",
].join("\n");

export default {
  id: "paint",
  title: "Paint and train",
  claims: ["L22", "L24"],
  minutes: 8,
  question: {
    ask: "You paint a few strokes and train. What does the network say about the pixels that you did not paint?",
    answers: [
      "That it is background",
      "A class for every pixel",
      "Nothing: it knows only the painted pixels",
    ],
    right: 1,
    because: "The loss counts painted pixels only; the same weights then label all the others.",
  },
  todo: "Paint a stroke or two with each class, then train. Only the head learns: the part behind the frozen encoder. Paint where it is wrong, and go on.",
  sentence: "A few labelled pixels train a head that labels all the rest, rightly or not.",
  notes: [
    "Ask how many labelled pixels are needed before you paint. Two short strokes often do: the encoder has seen ImageNet and is frozen; only the head learns.",
    "The label channels are those of the one-hot label (L22): white where a class was painted. Unpainted pixels are white in none of them.",
    "The first loss is the logarithm of the number of classes: the score layers start at zero, so all classes are equally likely.",
    "Misconception: unpainted means background. Paint no background at all and the button asks for it.",
    "Show a mistake, paint one stroke there and press Go on: the loss jumps, because it now counts the new stroke too. Add a class: the head keeps what it has learned. Then train anew with another random head.",
  ],
  drawing,
  build,
};

function build(stage, { page, say }) {
  const before = canvas("The picture with your strokes", 1, 1, {
    tabindex: 0, "data-keys": true, class: "smooth", id: "painted",
    "aria-label": "The picture with your strokes. Arrow keys move the brush, the space bar puts it down and lifts it, the digits choose a class.",
  });
  before.setAttribute("role", "application");
  const keys = el("p", { class: "keys", "aria-hidden": "true" },
    "Arrows move · space puts the brush down or lifts it · 1, 2 … choose the class · Ctrl+Z: undo");
  const after = canvas("What the network found", 1, 1, { class: "smooth", id: "found" });
  const caption = el("span", {}, "Paint here");
  const live = el("p", { class: "hidden", role: "status", "aria-live": "polite" });
  const tell = (sentence) => { live.textContent = sentence; };
  const state = el("p", { class: "read", id: "state" });
  const iou = el("p", { class: "read", id: "iou" });
  const chart = lossChart();
  const rows = el("div", { class: "classes", role: "group", "aria-label": "Classes" });
  const channels = el("div", { class: "channels", role: "group", "aria-label": "Label channels" });
  const group = newId("class");

  let painting = null; // of the picture that is shown
  let [chosen, head, labels] = [0, null, null];
  let running = null; // the training that is going on: { stopped }
  let [stopped, waiting] = [false, false];

  const brush = paintable(before, {
    chosen: () => ({ number: chosen, radius: size.value / 2 }),
    strokes: () => painting.strokes,
    changed: () => {
      painting.removed = null;
      repaint();
    },
    undo,
    tell,
    fingers: () => finger.value === "paints",
  });
  // A finger that always paints could not scroll a phone past the picture.
  const finger = choice("A finger", ["paints", "scrolls"], "paints", (does) => {
    before.classList.toggle("scrolls", does === "scrolls");
  });
  finger.classList.add("finger");
  before.addEventListener("keydown", ({ key, ctrlKey, metaKey, altKey }) => {
    const digit = Number(key) - 1;
    if (!ctrlKey && !metaKey && !altKey && painting && digit >= 0 && digit < painting.classes.length) choose(digit);
  });
  const size = slider("Brush", { min: 2, max: 40, step: 2, value: 12, shown: (v) => `${v} px` }, () => brush.show());
  const undoing = button("Undo", undo);
  const clearing = button("Clear", () => {
    brush.lift();
    painting.removed = null;
    painting.strokes.clear();
    repaint();
  });
  const training = button("Train", () => train(true, training), { class: "main", id: "train" });
  const goingOn = button("Go on", () => train(false, goingOn), { title: `${STEPS} more steps with the same head` });
  const stopping = button("Stop", () => { if (running) running.stopped = true; });
  const savingLabels = button("Save labels", () => saveLabels().catch((error) => say(error.message)), {
    title: "All pictures that were painted with these classes, their labels and the names, for python -m fcn_keras train",
  });
  const savingHead = button("Save head", saveHead, {
    title: "The trained weights; fcn.explainer.load_head puts them into Keras",
  });
  const adding = button("+ class", add, { class: "add" });

  const pictures = picker(page, say);
  const canvases = el("div", { class: "canvases" },
    figure(brush.box, caption), figure(el("div", { class: "fit" }, after), "What the network finds"), keys);
  stage.append(
    pictures,
    rows,
    controls(training, goingOn, stopping, size, undoing, clearing, finger),
    canvases,
    el("div", { class: "below" },
      el("div", { class: "labels" },
        channels,
        iou,
        el("div", { class: "saves" }, savingLabels, savingHead,
          el("p", { class: "quiet" }, "labels: for ", el("code", {}, "fcn_keras train"), el("br"),
            "head: for ", el("code", {}, "fcn.explainer.load_head")))),
      el("div", { class: "learning" }, state, chart.box)),
    live,
  );

  // --- the picture, its classes

  async function open() {
    const id = page.current;
    finish();
    forget();
    const picture = await page.picture(id);
    if (stopped || page.current !== id || painting?.picture === picture) return;
    painting = paintingOf(page, picture);
    LAST.set(page, id);
    const { width, height } = picture.image;
    canvases.style.setProperty("--ratio", width / height);
    brush.place(width, height);
    chosen = Math.min(chosen, painting.classes.length - 1);
    labels = null;
    fill();
    repaint();
    remembered();
  }

  // What a head of an earlier visit found, without training again.
  async function remembered() {
    const mine = painting;
    show(after, mine.picture.image);
    report();
    if (!mine.weights) return;
    try {
      const network = await page.network();
      if (stopped || painting !== mine || head || running) return;
      head = new Head(network, page.networks.paint, mine.classes.length, mine.seed);
      head.take(mine.weights, mine.was);
      Object.assign(mine, { weights: head.numbers(), was: null });
      head.look(mine.picture.image);
      found(argmax(head.scores()));
      report();
      enable();
    } catch (error) {
      say(error.message);
    }
  }

  function fill() {
    rows.replaceChildren(...painting.classes.map((name, k) => {
      const pick = el("input", {
        type: "radio", name: group, id: newId("class"), checked: k === chosen, onchange: () => choose(k),
      });
      const field = el("input", {
        type: "text", value: name, maxlength: 24, "aria-label": `Name of class ${k + 1}`,
        onchange: () => rename(k, field),
      });
      return el("div", { class: "class", "data-class": k, onclick: () => choose(k) },
        el("label", { class: "pick" }, pick,
          el("span", { class: "swatch", style: `background: ${css(SERIES[k])}` }, String(k + 1)),
          el("span", { class: "hidden" }, `paint with ${name}`)),
        field,
        button("×", (event) => { event.stopPropagation(); remove(k); }, { class: "remove", "aria-label": `Remove ${name}` }));
    }), adding);
    channels.replaceChildren(el("span", { class: "quiet" }, "Label channels"), ...painting.classes.map((name, k) =>
      el("span", { class: "one" }, canvas("", 1, 1, { class: "channel", "data-channel": k }), el("span", { class: "quiet" }, String(k + 1)))));
    choose(chosen);
  }

  function choose(k) {
    chosen = k;
    rows.querySelectorAll(".class").forEach((row, i) => {
      row.classList.toggle("chosen", i === k);
      row.style.setProperty("--colour", css(SERIES[i]));
      row.querySelector("input[type=radio]").checked = i === k;
    });
    brush.box.style.setProperty("--brush", css(SERIES[k]));
  }

  function rename(k, field) {
    const name = field.value.trim().replace(/\s+/g, " ").normalize("NFC");
    const wrong = wrongName(name, painting.classes.filter((_, i) => i !== k));
    say(wrong);
    field.value = wrong ? painting.classes[k] : name;
    if (wrong) return;
    painting.removed = null;
    painting.classes = painting.classes.map((old, i) => (i === k ? name : old));
    const row = field.closest(".class");
    row.querySelector(".pick .hidden").textContent = `paint with ${name}`;
    row.querySelector(".remove").setAttribute("aria-label", `Remove ${name}`);
    repaint();
    report();
  }

  function add() {
    const free = Array.from({ length: MOST }, (_, i) => `class ${i + 1}`)
      .find((name, i) => i >= painting.classes.length && !painting.classes.includes(name)) ?? "another";
    painting.removed = null;
    const was = [...painting.classes.keys(), -1];
    painting.classes = [...painting.classes, free];
    chosen = painting.classes.length - 1;
    another(was);
  }

  function remove(k) {
    brush.lift();
    const { classes, strokes, weights, was, losses } = painting;
    painting.removed = { classes, weights, was, losses, list: strokes.list.map((stroke) => ({ ...stroke })) };
    painting.strokes.change((number) => (number === k ? null : number > k ? number - 1 : number));
    painting.classes = painting.classes.filter((_, i) => i !== k);
    chosen = Math.min(chosen > k ? chosen - 1 : chosen, painting.classes.length - 1);
    say(`${classes[k]} is removed, with its strokes. Undo brings it back.`);
    another([...classes.keys()].filter((i) => i !== k));
  }

  // Another number of classes: a head of as many channels, with the trained ones of the classes that
  // stay. `was`: the number that each class had.
  function another(was) {
    forget();
    if (painting.weights) painting.was = was.map((k) => (k < 0 || !painting.was ? k : painting.was[k]));
    labels = null;
    fill();
    repaint();
    remembered();
  }

  // --- strokes

  function undo() {
    brush.lift();
    if (painting.removed) {
      const { list, ...before } = painting.removed;
      Object.assign(painting, before, { removed: null });
      painting.strokes.list = list;
      painting.strokes.change((number) => number);
      say("");
      forget();
      labels = null;
      fill();
      remembered();
    } else {
      painting.strokes.undo();
    }
    repaint();
  }

  // Once a frame at most, however fast somebody paints.
  function repaint() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      if (stopped || !painting) return;
      const { strokes, classes, picture } = painting;
      show(before, overlay(picture.image, strokes.labels, SERIES, 0.75));
      const counts = strokes.counts(classes.length);
      rows.querySelectorAll(".class").forEach((row, k) => {
        const channel = channels.querySelector(`[data-channel="${k}"]`);
        row.dataset.pixels = counts[k];
        channel.setAttribute("aria-label", `Label channel of ${classes[k]}: ${counts[k]} pixels`);
        channel.title = channel.getAttribute("aria-label");
        showChannel(channel, strokes, k);
      });
      const share = counts.reduce((sum, count) => sum + count, 0) / strokes.labels.length;
      caption.textContent = share ? `Your strokes: ${percent(share, 1)} of the pixels` : "Paint here";
      enable();
    });
  }

  const painted = () => painting?.strokes.counts(painting.classes.length).filter(Boolean).length ?? 0;

  function enable() {
    const busy = running !== null;
    const some = painting.strokes.list.length > 0;
    undoing.disabled = !some && !painting.removed;
    clearing.disabled = !some;
    training.disabled = busy;
    training.textContent = painting.weights ? "Train anew" : "Train";
    goingOn.disabled = busy || !head;
    stopping.disabled = !busy;
    adding.disabled = busy || painting.classes.length >= MOST;
    savingLabels.disabled = !some;
    savingHead.disabled = busy || !painting.weights || Boolean(painting.was);
    rows.querySelectorAll(".remove").forEach((node) => { node.disabled = busy || painting.classes.length <= 2; });
  }

  // --- training

  async function train(anew, begun) {
    if (running) return;
    if (painted() < 2) {
      say("Paint with at least two classes first: with one class there is nothing to tell apart.");
      return;
    }
    say("");
    brush.lift();
    const mine = painting;
    running = { stopped: false };
    const me = running;
    mine.removed = null;
    const held = document.activeElement === begun; // whoever works with keys goes on from Stop
    enable();
    if (held) stopping.focus();
    state.textContent = "Starting the network …";
    try {
      const network = await page.network();
      await frame();
      if (me.stopped) return;
      if (anew || !head) {
        forget();
        mine.seed += 1;
        mine.losses = [];
        head = new Head(network, page.networks.paint, mine.classes.length, mine.seed);
        head.look(mine.picture.image);
      }
      head.begin(STEPS, RATE);
      tell("Training has begun.");
      for (let step = 0; step < STEPS; step += 1) {
        await frame();
        if (me.stopped || painted() < 2) break; // everything was cleared while it trained
        const { loss, scores } = head.step(mine.strokes.labels);
        mine.losses.push(loss);
        if (step % REPAINTED === 0) found(argmax(scores));
        report();
      }
      if (painting !== mine || stopped) return;
      Object.assign(mine, { weights: head.numbers(), was: null });
      found(argmax(head.scores()));
    } catch (error) {
      say(error.message);
    } finally {
      if (running === me) running = null;
      if (!stopped && painting === mine) {
        report();
        const stays = document.activeElement === stopping;
        enable();
        if (stays) begun.focus();
        if (mine.losses.length) tell(`${state.textContent}. ${iou.textContent}`);
      }
    }
  }

  function found(next) {
    labels = next;
    show(after, overlay(painting.picture.image, labels, SERIES, 0.55));
  }

  function report() {
    const { losses, picture, classes } = painting;
    const last = losses.at(-1);
    state.textContent = losses.length
      ? `Step ${losses.length}: loss ${last < 0.0001 ? "< 0.0001" : number(last, last < 0.01 ? 4 : 3)}` : "Not trained yet";
    Object.assign(state.dataset, { steps: losses.length, loss: last ?? "" });
    chart.draw(losses);
    iou.replaceChildren();
    if (!labels || !picture.labels) return;
    // The classes that the picture's labels have too, by their names.
    const numbers = classes.map((name) => picture.classes.findIndex((other) => other.toLowerCase() === name.toLowerCase()));
    const { iou: values } = scoresOf(labels.map((label) => numbers[label] < 0 ? VOID - 1 : numbers[label]), picture.labels, picture.classes.length);
    const parts = classes.map((name, k) => [name, numbers[k]]).filter(([, n]) => n >= 0 && values[n] !== null);
    if (!parts.length) {
      iou.append(`IoU needs classes called ${picture.classes.join(", ")}.`);
      return;
    }
    iou.append("IoU (overlap ÷ union): ", ...parts.flatMap(([name, n], i) => [
      i ? ", " : "", `${name} `, el("strong", { "data-iou": values[n], "data-name": name }, percent(values[n], 1)),
    ]));
  }

  // Ends the training that is going on; what it has learned is kept.
  function finish() {
    if (running && head && painting) Object.assign(painting, { weights: head.numbers(), was: null });
    if (running) running.stopped = true;
    running = null;
  }

  function forget() {
    head?.dispose();
    head = null;
  }

  // --- files

  async function saveLabels() {
    const { classes, picture } = painting;
    if (painted() < 2) {
      say("Paint with at least two classes before you save.");
      return;
    }
    const others = [...KEPT.get(page).values()].filter((other) =>
      other !== painting && other.strokes.list.length && String(other.classes) === String(classes));
    const files = { "classes.txt": listOf(classes), "README.txt": README };
    for (const { strokes, picture: { image, title } } of [painting, ...others]) {
      let name = fileName(title);
      while (`images/${name}.png` in files) name += "-2";
      files[`images/${name}.png`] = await pngOf(image);
      files[`masks/${name}.png`] = await png(strokes.labels, image.width, image.height);
    }
    save(zip(files), `${fileName(picture.title)}-labels.zip`, "application/zip");
    say(others.length
      ? `Saved ${others.length + 1} pictures with the classes ${classes.join(", ")}.`
      : "Saved one picture. To train in Python takes at least two: paint another with the same names of classes, and save again.");
  }

  function saveHead() {
    const { weights, classes, picture } = painting;
    const { encoder } = page.contents;
    const about = { class_names: JSON.stringify(classes), network: "fcn8s", encoder };
    save(safetensors(weights, about), `${fileName(picture.title)}-head.safetensors`);
  }

  const onPicture = () => open().catch((error) => say(error.message));
  page.addEventListener("picture", onPicture);
  const [scene, photograph] = instead(page);
  if (photograph) page.choose(photograph);
  else onPicture();
  // For whoever opens the console, and for the tests.
  page.painting = { get head() { return head; }, get painting() { return painting; }, get found() { return labels; } };
  return {
    stop() {
      finish();
      stopped = true;
      forget();
      page.removeEventListener("picture", onPicture);
      pictures.stop();
      if (photograph && page.current === photograph) page.choose(scene);
    },
  };
}

// Whoever comes with a drawn scene begins with a photograph, or with what was here last. The other
// chapters keep their scene. Returns [the scene, what is shown instead, or null].
function instead(page) {
  const { pictures } = page.contents;
  const scene = pictures.find(({ id }) => id === page.current);
  if (scene?.kind !== "scene") return [null, null];
  const last = [...page.own, ...pictures].find(({ id }) => id === LAST.get(page));
  const next = (last ?? pictures.find(({ kind }) => kind === "photograph"))?.id;
  return [scene.id, next && next !== scene.id ? next : null];
}

// A channel of the one-hot label: white where this class was painted.
function showChannel(target, { labels, width, height }, k) {
  const image = new ImageData(width, height);
  for (let i = 0; i < labels.length; i += 1) {
    const value = labels[i] === k ? 255 : 0;
    image.data.set([value, value, value, 255], 4 * i);
  }
  show(target, image);
}

// The loss of every step so far, logarithmic: a first step and a last one are both readable.
function lossChart() {
  const [width, height, left, bottom] = [300, 104, 64, 22];
  const line = svg("polyline", { class: "curve" });
  const top = svg("text", { x: left - 6, y: 16, "text-anchor": "end" });
  const low = svg("text", { x: left - 6, y: height - bottom, "text-anchor": "end" });
  const end = svg("text", { x: width - 2, y: height - 4, "text-anchor": "end" });
  const scale = svg("text", { x: width - 2, y: 16, "text-anchor": "end" }, "loss on your strokes (log)");
  const box = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "chart", role: "img", "aria-label": "Loss on your strokes at every step, on a logarithmic scale" },
    svg("path", { class: "axis", d: `M${left} 4V${height - bottom}H${width}` }),
    svg("text", { x: left, y: height - 4 }, "step"), top, low, end, scale, line);
  return {
    box,
    draw(losses) {
      // Whole powers of ten; what is below the lowest lies on the axis.
      const most = Math.max(0, Math.ceil(Math.log10(Math.max(1, ...losses))));
      const least = Math.max(-4, Math.min(-1, Math.floor(Math.log10(Math.min(1, ...losses)))));
      const count = Math.max(STEPS, losses.length);
      const points = losses.map((loss, i) => [
        left + ((width - left - 4) * (i + 1)) / count,
        6 + ((height - bottom - 8) * (most - Math.max(least, Math.log10(loss)))) / (most - least),
      ].map((value) => value.toFixed(1)).join(","));
      line.setAttribute("points", points.join(" "));
      top.textContent = losses.length ? String(10 ** most) : "";
      low.textContent = losses.length ? (10 ** least).toFixed(-least) : "";
      end.textContent = String(count);
    },
  };
}

function drawing() {
  const colours = { frozen: "#4f6690", trained: "#a85a00" };
  const box = (x, fill, text) => [
    svg("rect", { x, y: 25, width: 44, height: 40, rx: 4, fill }),
    svg("text", { x: x + 22, y: 49, "text-anchor": "middle", fill: "#fff", style: "fill: #fff; font-size: 10px" }, text),
  ];
  const arrow = (x) => svg("path", { d: `M${x} 45h9m-3 -3l3 3l-3 3`, stroke: "#000", fill: "none" });
  return svg("svg", { viewBox: "0 0 240 90", role: "img", "aria-label": "Strokes train the head behind a frozen encoder" },
    svg("rect", { x: 2, y: 18, width: 52, height: 54, fill: "none", stroke: "#000" }),
    svg("circle", { cx: 28, cy: 46, r: 15, fill: "none", stroke: "#999" }),
    svg("path", { d: "M20 44q8 -8 16 2", stroke: css(SERIES[1]), "stroke-width": 5, fill: "none", "stroke-linecap": "round" }),
    svg("path", { d: "M8 26h38", stroke: css(SERIES[0]), "stroke-width": 5, "stroke-linecap": "round" }),
    arrow(57), box(69, colours.frozen, "encoder"), arrow(115), box(127, colours.trained, "head"), arrow(173),
    svg("rect", { x: 185, y: 18, width: 52, height: 54, fill: css(SERIES[0]) }),
    svg("circle", { cx: 211, cy: 46, r: 15, fill: css(SERIES[1]) }),
    svg("text", { x: 91, y: 80, "text-anchor": "middle", style: "font-size: 10px" }, "frozen"),
    svg("text", { x: 149, y: 80, "text-anchor": "middle", style: "font-size: 10px" }, "trained"));
}
