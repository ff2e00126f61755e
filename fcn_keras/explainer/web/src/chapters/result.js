// Segmentation result: what the network finds in scenes, photographs and in front of the camera (L25).
import { Camera } from "../camera.js";
import { fileName, pngOf, save } from "../files.js";
import { maps } from "../network/predict.js";
import { button, canvas, choice, controls, el, percent, svg } from "../ui/dom.js";
import { argmax, colourise, css, MISTAKES, mistakes, overlay, show } from "../ui/draw.js";
import { frame } from "../ui/frame.js";
import { picker } from "../ui/picker.js";
import { scoresOf } from "../ui/scores.js";

const LIVE = 384; // pixels: smaller than a photograph, so that the camera's picture follows
const WARM = new WeakSet(); // networks that have computed something
const SMOOTH = 5; // how many pictures the rate is the mean of

export default {
  id: "result",
  title: "Segmentation result",
  claims: ["L25"],
  minutes: 6,
  question: {
    ask: "A network has no class for cups. You show it a coffee cup. What does it answer?",
    answers: ["“Unknown” where the cup is", "One of its classes at every pixel", "Nothing: it refuses such a picture"],
    right: 1,
    because: "At every pixel some class has the highest score. The network has no class “something else”.",
  },
  todo: "Compare a scene with the truth; click a view to enlarge it. Then try photographs or the camera. This is the network of “Architecture”, not the head that you painted.",
  sentence: "Every pixel gets one of the network's classes; only labels tell if it is right.",
  notes: [
    "Show a scene first: input, result, truth, mistakes. Most mistakes lie along the boundary of the road.",
    "Then a photograph. The network answers it as well, and nothing on the screen says how good that is: no labels, no score.",
    "IoU is harder than pixel accuracy: whoever misses a thing of 5 % of the pixels is right at 95 % of them, but its IoU is 0. In these scenes about half of the pixels are road, so the two lie close together.",
    "Misconception: a picture that looks convincing is right. Ask who has compared it with labels.",
    "Whatever you drop, and whatever the camera sees, stays in this page.",
  ],
  drawing,
  build,
};

function build(stage, { page, say }) {
  const VIEWS = ["input", "found", "truth", "mistakes"];
  const titles = { input: "Input", found: "What was found", truth: "Truth", mistakes: "Mistakes" };
  const views = Object.fromEntries(VIEWS.map((name) => {
    const shown = canvas(titles[name], 1, 1, { class: "smooth", id: `view-${name}` });
    const node = el("button", { type: "button", class: "view", "data-view": name, onclick: () => enlarge(name) },
      el("span", { class: "caption" }, titles[name]), el("span", { class: "fit" }, shown));
    return [name, { node, shown }];
  }));
  const panels = el("div", { class: "views" }, ...VIEWS.map((name) => views[name].node));
  const note = el("p", { class: "note", id: "note" });
  const scores = el("p", { class: "read scores", id: "scores", role: "status", "aria-live": "polite" });
  const time = el("p", { class: "read time", id: "time" });
  const legend = el("div", { class: "legend" });
  const mistaken = page.classes.length > 2
    ? choice("mistakes of", page.classes.map(({ name }, k) => [k, name]), 1, () => paint())
    : null;
  const filming = button("Camera", () => (camera ? endCamera() : startCamera()), { id: "camera" });
  const keeping = button("Keep this picture", keep, { hidden: true });
  const saving = button("Save result", () => saveResult().catch((error) => say(error.message)), { disabled: true });
  const pictures = picker(page, say);
  stage.append(
    pictures,
    controls(filming, keeping, saving, mistaken, legend),
    panels,
    el("div", { class: "readings" }, scores, note, time),
  );

  let [camera, asking, stopped] = [null, false, false];
  let wish = 0; // counts what was asked for: an older answer is not shown
  let kept = 0; // pictures kept from the camera
  let result = null; // { picture, image, labels, truth }

  function enlarge(name) {
    for (const view of VIEWS) {
      views[view].node.classList.toggle("big", view === name);
      if (view === name) views[view].node.setAttribute("aria-current", "true");
      else views[view].node.removeAttribute("aria-current");
    }
  }

  function put(name, image) {
    show(views[name].shown, image);
  }

  // Which views there are, and how they lie for a picture of this shape.
  function arrange({ width, height }, labelled) {
    panels.classList.toggle("wide", width > 2 * height);
    panels.classList.toggle("labelled", labelled);
    panels.style.setProperty("--ratio", width / height);
    views.truth.node.hidden = views.mistakes.node.hidden = !labelled;
    keyed(labelled);
  }

  // The labels of a picture, if they are labels of the network's classes.
  function truthOf(picture) {
    return page.hasTruth(picture) ? picture.labels : null;
  }

  // One picture: shown at once, labelled as soon as the network is there.
  async function open() {
    endCamera();
    const mine = (wish += 1);
    const picture = await page.picture();
    if (stopped || wish !== mine) return;
    const image = page.fitting?.(picture.image) ?? picture.image;
    result = null;
    arrange(image, false);
    put("input", image);
    put("found", image);
    scores.replaceChildren();
    time.textContent = "Computing …";
    delete time.dataset.milliseconds;
    const truth = truthOf(picture)?.length === image.width * image.height ? picture.labels : null;
    note.textContent = truth ? "" : unscored(picture);
    saving.disabled = true;
    panels.classList.add("busy");
    try {
      const network = await page.network();
      await frame(); // the input is seen before the network computes
      if (stopped || wish !== mine) return;
      const { labels, milliseconds } = labelled(network, image);
      result = { picture, image, labels, truth };
      time.textContent = `${image.height} × ${image.width} pixels (height × width), segmented in ${Math.round(milliseconds)} ms`;
      Object.assign(time.dataset, { milliseconds, picture: picture.id });
      paint();
      report();
      saving.disabled = false;
    } catch (error) {
      if (wish === mine) time.textContent = "";
      throw error;
    } finally {
      if (wish === mine) panels.classList.remove("busy");
    }
  }

  function labelled(network, image) {
    if (!WARM.has(network)) { // the first run also unpacks the weights, which is not its time
      maps(network, page.networks.result, page.fitting?.(new ImageData(32, 32)) ?? new ImageData(32, 32));
      WARM.add(network);
    }
    const start = performance.now();
    const { output } = maps(network, page.networks.result, image);
    return { labels: argmax(output), milliseconds: performance.now() - start };
  }

  function paint() {
    if (!result) return;
    const { image, labels, truth } = result;
    arrange(image, truth !== null);
    put("input", image);
    put("found", overlay(image, labels, page.colours));
    if (!truth) return;
    const background = page.colours.map((colour) => colour ?? [40, 40, 48]);
    put("truth", colourise(truth, image.width, image.height, background));
    put("mistakes", mistakes(image, labels, truth, mistaken?.value ?? page.classes.length - 1));
  }

  function report() {
    const { labels, truth } = result;
    const names = page.classes.map(({ name }) => name);
    if (truth) {
      const { accuracy, iou } = scoresOf(labels, truth, names.length);
      scores.replaceChildren("IoU (overlap ÷ union): ", ...names.flatMap((name, k) => (iou[k] === null ? [] : [
        `${name} `, el("strong", { "data-iou": iou[k], "data-name": name }, percent(iou[k], 1)), " · ",
      ])), "pixel accuracy ", el("strong", { "data-accuracy": accuracy }, percent(accuracy, 1)));
    } else {
      shares(labels);
    }
  }

  // Why there is no score.
  function unscored(picture) {
    const names = page.classes.map(({ name }) => name);
    return picture.labels
      ? `No score: this picture's labels are ${picture.classes.join(" and ")}. The network knows only ${listed(names)}, and gives every pixel one of them.`
      : `No labels, no score. The network knows only ${listed(names)}, and gives every pixel one of them.`;
  }

  function shares(labels) {
    const counts = page.classes.map(() => 0);
    for (const label of labels) counts[label] += 1;
    scores.replaceChildren(...page.classes.flatMap(({ name }, k) => [
      k ? " · " : "", `${name} `, el("strong", { "data-share": counts[k] / labels.length }, percent(counts[k] / labels.length, 1)),
    ]), " of the pixels");
  }

  function keyed(withTruth) {
    const square = (colour, name) => el("span", { class: "key" }, el("span", { class: "square", style: `background: ${css(colour)}` }), name);
    const classes = page.classes.filter(({ colour }) => colour).map(({ name, colour }) => square(colour, name));
    const kinds = withTruth ? Object.entries(MISTAKES).map(([name, colour]) => square(colour, name)) : [];
    legend.replaceChildren(...classes, ...(kinds.length ? [el("span", { class: "quiet" }, "in “Mistakes”:")] : []), ...kinds);
  }

  async function saveResult() {
    const { picture, image, labels } = result;
    save(await pngOf(overlay(image, labels, page.colours)), `${fileName(picture.title)}-result.png`, "image/png");
  }

  // --- the camera

  async function startCamera() {
    if (asking) return;
    asking = true;
    filming.disabled = true;
    say("");
    const mine = (wish += 1);
    let opened = null;
    try {
      opened = await Camera.start();
      const network = await page.network();
      if (stopped || wish !== mine) return;
      camera = opened;
      filming.textContent = "Stop camera";
      keeping.hidden = false;
      saving.disabled = true;
      panels.classList.remove("busy");
      live(network, opened).catch((error) => say(error.message));
    } catch (error) {
      if (!stopped) say(error.message);
    } finally {
      asking = false;
      filming.disabled = false;
      if (opened && camera !== opened) opened.stop();
    }
  }

  // Always the newest picture; what the camera saw while the network computed is left out.
  async function live(network, mine) {
    const ends = [];
    scores.setAttribute("aria-live", "off");
    while (camera === mine && !stopped) {
      if (mine.ended) {
        say("The camera has stopped.");
        await open();
        return;
      }
      const image = document.hidden ? null : mine.picture(LIVE);
      if (image) {
        const fitted = page.fitting?.(image) ?? image;
        const { labels } = labelled(network, fitted);
        result = { picture: { title: "camera", labels: null }, image: fitted, labels, truth: null, seen: image };
        paint();
        shares(labels);
        ends.push(performance.now());
        if (ends.length > SMOOTH) ends.shift();
        const rate = (1000 * (ends.length - 1)) / (ends.at(-1) - ends[0]);
        time.textContent = `${image.height} × ${image.width} pixels (height × width)${ends.length > 1 ? `, ${rate.toFixed(1)} pictures a second` : ""}`;
        time.dataset.pictures = Number(time.dataset.pictures ?? 0) + 1;
        note.textContent = "What the camera sees stays in this page.";
      }
      await frame();
    }
  }

  function endCamera() {
    if (!camera) return;
    camera.stop();
    camera = null;
    filming.textContent = "Camera";
    keeping.hidden = true;
    scores.setAttribute("aria-live", "polite");
    saving.disabled = !result;
  }

  function keep() {
    if (!result?.seen) return;
    kept += 1;
    page.add({ id: `own-camera-${Date.now()}`, title: `camera ${kept}`, source: "yours", image: result.seen, labels: null });
  }

  const onPicture = () => open().catch((error) => say(error.message));
  page.addEventListener("picture", onPicture);
  enlarge("found");
  onPicture();
  return {
    stop() {
      stopped = true;
      endCamera();
      page.removeEventListener("picture", onPicture);
      pictures.stop();
    },
  };
}

const listed = (names) =>
  (names.length < 3 ? names.join(" and ") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`);

function drawing() {
  const scene = (x, ...marks) => svg("g", { transform: `translate(${x} 14)` },
    svg("rect", { width: 72, height: 50, fill: "#fff", stroke: "#000" }),
    svg("path", { d: "M0 22h72", stroke: "#999" }),
    svg("path", { d: "M30 22L10 50H62L42 22z", fill: "#ddd", stroke: "#777" }), ...marks);
  const text = (x, words) => svg("text", { x: x + 36, y: 80, "text-anchor": "middle", style: "font-size: 10px" }, words);
  const road = "M30 22L12 50H60L42 22z";
  return svg("svg", { viewBox: "0 0 240 90", role: "img", "aria-label": "Input, result, mistakes" },
    scene(4), text(4, "input"),
    scene(84, svg("path", { d: road, fill: css([0, 255, 0], 0.5) })), text(84, "result"),
    scene(164, svg("path", { d: road, fill: css(MISTAKES.found) }),
      svg("path", { d: "M42 22L60 50h8L46 22z", fill: css(MISTAKES.missed) })), text(164, "found, missed"));
}
