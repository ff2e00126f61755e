import assert from "node:assert/strict";
import { arraysOf, catchDownloads, download, pixelsOf, unzipped } from "../files.mjs";

const COLOURS = [[0, 114, 178], [213, 94, 0], [0, 158, 115]]; // blue, orange, green
const VOID = 255;

// What the page holds: { labels, strokes, classes, losses, width, height, found }.
const state = (driver) => driver.evaluate(() => {
  const { painting, found } = globalThis.explainer.painting;
  const { strokes, classes, losses, picture } = painting;
  return {
    classes, losses, width: strokes.width, height: strokes.height, found: found && [...found],
    labels: [...strokes.labels], strokes: strokes.list, truth: picture.labels && [...picture.labels],
    names: picture.classes ?? [], image: [...picture.image.data],
  };
});
const pixels = (driver, id) => driver.evaluate((name) => {
  const canvas = document.getElementById(name);
  return [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data];
}, id);
const steps = (driver) => driver.evaluate(() => Number(document.getElementById("state").dataset.steps));
const idle = (driver, least) => driver.wait((count) =>
  Number(document.getElementById("state").dataset.steps) >= count && !document.getElementById("train").disabled, least);
const message = (driver) => driver.text(".message");
const painted = (driver, k) => driver.wait((row) =>
  Number(document.querySelector(`[data-class="${row}"]`)?.dataset.pixels) > 0, k);
const tensors = (driver) => driver.evaluate(async () => (await globalThis.explainer.network()).tf.memory().numTensors);

// The labels that strokes give: of every pixel, the last stroke that comes within its radius.
function labelled({ strokes, width, height }) {
  const labels = new Array(width * height).fill(VOID);
  for (const { number, radius, points } of strokes) {
    for (let i = 0; i < labels.length; i += 1) {
      const [x, y] = [i % width, Math.floor(i / width)];
      const within = points.some(([bx, by], k) => {
        const [ax, ay] = points[Math.max(0, k - 1)];
        const [a, b] = [(x - ax) ** 2 + (y - ay) ** 2, (x - bx) ** 2 + (y - by) ** 2];
        if (Math.min(a, b) <= radius ** 2) return true; // round ends
        const side = (ax - bx) ** 2 + (ay - by) ** 2;
        if (!side || a > b + side || b > a + side) return false; // an obtuse angle: beside the line's end
        // The triangle's height over this side, from its area by Heron's formula without roots.
        const area16 = 2 * (a * b + b * side + side * a) - (a * a + b * b + side * side);
        return area16 <= 4 * radius ** 2 * side;
      });
      if (within) labels[i] = number;
    }
  }
  return labels;
}

// Pixels of a canvas are the picture's, mixed with the colours of the labels.
function assertPainted(shown, { image, width, height }, labels, alpha) {
  for (let i = 0; i < width * height; i += 1) {
    for (let c = 0; c < 3; c += 1) {
      const colour = COLOURS[labels[i]];
      const expected = colour ? (1 - alpha) * image[4 * i + c] + alpha * colour[c] : image[4 * i + c];
      assert.ok(Math.abs(shown[4 * i + c] - expected) <= 1, `pixel ${i}`);
    }
  }
}

function intersectionOverUnion({ found, truth }, number) {
  let [both, either] = [0, 0];
  truth.forEach((label, i) => {
    if (label === VOID) return;
    both += label === number && found[i] === number ? 1 : 0;
    either += label === number || found[i] === number ? 1 : 0;
  });
  return both / either;
}

// A small copy of a picture of the page, with its labels: training on it takes a blink.
const smaller = (driver, id, copy, width) => driver.evaluate(async ([from, name, across]) => {
  const page = globalThis.explainer;
  const { image, labels, classes } = await page.picture(from);
  const scale = image.width / across;
  const height = Math.round(image.height / scale);
  const of = (i) => {
    const [x, y] = [i % across, Math.floor(i / across)];
    return Math.floor((y + 0.5) * scale) * image.width + Math.floor((x + 0.5) * scale);
  };
  const small = new ImageData(across, height);
  const known = labels && new Uint8Array(across * height);
  for (let i = 0; i < across * height; i += 1) {
    for (let c = 0; c < 4; c += 1) small.data[4 * i + c] = image.data[4 * of(i) + c];
    if (known) known[i] = labels[of(i)];
  }
  page.add({ id: `own-${name}`, title: name, source: "yours", image: small, labels: known, classes });
}, [id, copy, width]);
const opened = (driver, id) => driver.wait((wanted) => globalThis.explainer.painting?.painting?.picture.id === wanted, id);

export async function check(driver) {
  await catchDownloads(driver);
  await driver.wait(() => globalThis.explainer.painting?.painting != null);
  const { scene, photograph, shown: first } = await driver.evaluate(() => {
    const { contents, painting } = globalThis.explainer;
    const of = (wanted) => contents.pictures.find(({ kind }) => kind === wanted)?.id ?? null;
    return { scene: of("scene"), photograph: of("photograph"), shown: painting.painting.picture.id };
  });
  if (photograph) {
    // it begins with a photograph; the other chapters keep their scene
    assert.equal(first, photograph);
    const leave = await elsewhere(driver);
    assert.equal(leave, scene ?? photograph);
    await opened(driver, photograph);
  }
  const cat = await driver.evaluate(() => globalThis.explainer.contents.pictures.some(({ id }) => id === "cat"));
  await smaller(driver, cat ? "cat" : first, "small", 112);
  await opened(driver, "own-small");
  await driver.slide("Brush", 4);

  // without strokes there is nothing to learn
  await driver.press("Train");
  assert.match(await message(driver), /at least two classes/);

  // strokes with the mouse: the labels are those of the strokes, and the canvas shows them
  await driver.drag("#painted", [[0.03, 0.1], [0.03, 0.33]]);
  await driver.drag("#painted", [[0.89, 0.1], [0.93, 0.55], [0.87, 0.9]]);
  await painted(driver, 0);
  await driver.press("Train");
  assert.match(await message(driver), /at least two classes/);
  await driver.evaluate(() => document.getElementById("painted").focus());
  await driver.key("2");
  await driver.drag("#painted", [[0.2, 0.13], [0.45, 0.2], [0.73, 0.2]]);
  await driver.drag("#painted", [[0.13, 0.6], [0.4, 0.63], [0.6, 0.4], [0.7, 0.55]]);
  await painted(driver, 1);
  let now = await state(driver);
  assert.deepEqual(now.labels, labelled(now));
  assert.deepEqual([...new Set(now.labels)].sort((a, b) => a - b), [0, 1, VOID]);
  assert.equal(now.strokes.length, 4);
  assertPainted(await pixels(driver, "painted"), now, now.labels, 0.75);

  // the same with keys: the arrows turn no page; the space bar puts the brush down
  await driver.key("ArrowRight");
  await driver.key("1");
  await driver.key(" ");
  for (const key of ["ArrowRight", "ArrowRight", "ArrowDown"]) await driver.key(key);
  await driver.key(" ");
  await driver.key("ArrowLeft");
  const keyed = await state(driver);
  assert.equal(await driver.evaluate(() => location.hash), "#paint");
  assert.equal(keyed.strokes.length, 5);
  const [start, ...rest] = keyed.strokes[4].points;
  assert.deepEqual(rest, [[start[0] + 4, start[1]], [start[0] + 8, start[1]], [start[0] + 8, start[1] + 4]]);
  assert.equal(keyed.strokes[4].number, 0);
  assert.deepEqual(keyed.labels, labelled(keyed));
  await driver.press("Undo");
  assert.deepEqual((await state(driver)).labels, now.labels);

  // classes: a third one, its name, and away with it again
  await driver.press("+ class");
  await driver.drag("#painted", [[0.5, 0.85], [0.6, 0.85]]);
  await painted(driver, 2);
  const name = (text) => driver.evaluate((value) => {
    const field = document.querySelector('[data-class="2"] input[type="text"]');
    field.value = value;
    field.dispatchEvent(new Event("change"));
    return field.value;
  }, text);
  assert.equal(await name(" nose  tip "), "nose tip");
  assert.equal(await name("#1, 2 3"), "nose tip");
  assert.match(await message(driver), /letters/);
  assert.equal(await name("void"), "nose tip");
  assert.equal(await name(now.classes[1].toUpperCase()), "nose tip");
  assert.deepEqual((await state(driver)).classes, [...now.classes, "nose tip"]);
  // the strokes of a removed class go with it, and come back with it; tabbing through the names
  // chooses none, clicking beside them does
  const three = await state(driver);
  await driver.press(`Remove ${now.classes[1]}`);
  assert.deepEqual((await state(driver)).classes, [now.classes[0], "nose tip"]);
  assert.equal((await state(driver)).strokes.filter(({ number }) => number === 1).length, 1);
  await driver.press("Undo");
  const again = await state(driver);
  assert.deepEqual([again.classes, again.labels], [three.classes, three.labels]);
  const chosen = () => driver.evaluate(() => Number(document.querySelector(".class.chosen").dataset.class));
  await driver.point('[data-class="1"]', 0.02, 0.5);
  assert.equal(await chosen(), 1);
  await driver.evaluate(() => document.querySelector('[data-class="0"] input[type="text"]').focus());
  assert.equal(await chosen(), 1);
  await driver.evaluate(() => document.getElementById("painted").dispatchEvent(
    new KeyboardEvent("keydown", { key: "z", ctrlKey: true, shiftKey: true, bubbles: true })));
  assert.deepEqual((await state(driver)).labels, three.labels);
  await driver.press("Remove nose tip");
  assert.deepEqual((await state(driver)).labels, now.labels);
  assert.deepEqual((await state(driver)).classes, now.classes);

  // the one-hot label's channels
  const channel = await driver.evaluate(() => {
    const canvas = document.querySelector('[data-channel="1"]');
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return [...data].filter((_, i) => i % 4 === 0);
  });
  assert.deepEqual(channel, now.labels.map((label) => (label === 1 ? 255 : 0)));

  // training: all classes are equally likely at first; the loss falls
  await driver.press("Train");
  await idle(driver, 40);
  now = await state(driver);
  assert.equal(now.losses.length, 40);
  assert.ok(Math.abs(now.losses[0] - Math.log(2)) < 1e-6, now.losses[0]);
  assert.ok(now.losses.at(-1) < 0.3 * now.losses[0], now.losses.at(-1));
  const right = now.labels.filter((label, i) => label !== VOID && label === now.found[i]).length;
  assert.ok(right > 0.9 * now.labels.filter((label) => label !== VOID).length);
  assertPainted(await pixels(driver, "found"), now, now.found, 0.55);
  if (now.truth) {
    for (const [number, text] of now.names.entries()) {
      const shown = await driver.evaluate((label) => Number(document.querySelector(`[data-iou][data-name="${label}"]`).dataset.iou), text);
      assert.ok(Math.abs(shown - intersectionOverUnion(now, number)) < 1e-9, text);
    }
  }

  // what was learned stays with another number of classes: the new one has no pixel yet, and the
  // weights of the others are as they were; going on teaches it
  const before = await learned(driver);
  await driver.press("+ class");
  await driver.wait(() => globalThis.explainer.painting.found !== null && globalThis.explainer.painting.head !== null);
  const wider = await state(driver);
  assert.equal(wider.losses.length, 40);
  assert.ok(wider.found.filter((label, i) => label === now.found[i]).length > 0.9 * wider.found.length);
  await driver.press(`Remove ${wider.classes[2]}`);
  await driver.wait(() => globalThis.explainer.painting.found !== null && globalThis.explainer.painting.head !== null);
  assert.deepEqual((await state(driver)).found, now.found);
  assert.deepEqual(await learned(driver), before);

  // going on begins where it ended, and takes no more memory; stopping stops
  const memory = await tensors(driver);
  await driver.press("Go on");
  await idle(driver, 80);
  const later = await state(driver);
  assert.equal(later.losses.length, 80);
  assert.ok(later.losses[40] < 0.3 * later.losses[0]);
  assert.equal(await tensors(driver), memory);
  // by keys: the focus is on Stop while it trains, and then where it was
  const focused = () => driver.evaluate(() => document.activeElement.textContent);
  await driver.evaluate(() => [...document.querySelectorAll("button")].find((node) => node.textContent === "Go on").focus());
  await driver.key("Enter");
  await driver.wait(() => Number(document.getElementById("state").dataset.steps) > 81);
  assert.equal(await focused(), "Stop");
  await driver.key("Enter");
  await idle(driver, 82);
  assert.equal(await focused(), "Go on");
  const stopped = await steps(driver);
  assert.ok(stopped < 120, stopped);

  // the labels' file
  const zip = await download(driver, () => driver.press("Save labels"));
  const files = unzipped(zip.bytes);
  const stem = zip.name.replace(/-labels\.zip$/, "");
  assert.deepEqual(Object.keys(files), ["classes.txt", "README.txt", `images/${stem}.png`, `masks/${stem}.png`]);
  assert.match(await message(driver), /one picture/);
  const mask = pixelsOf(files[`masks/${stem}.png`]);
  assert.deepEqual([mask.width, mask.height, mask.channels], [now.width, now.height, 1]);
  assert.deepEqual([...mask.data], now.labels);
  const picture = pixelsOf(files[`images/${stem}.png`]);
  assert.deepEqual([...picture.data], now.image.filter((_, i) => i % 4 !== 3));
  assert.equal(files["classes.txt"].toString(), `0: ${now.classes[0]}\n1: ${now.classes[1]}\n255: void\n`);

  // the head's file holds the weights that the network has now
  const saved = await download(driver, () => driver.press("Save head"));
  const { about, arrays } = arraysOf(saved.bytes);
  assert.deepEqual(JSON.parse(about.class_names), now.classes);
  const held = await driver.evaluate(() => globalThis.explainer.painting.head.numbers().map(({ name: text, shape, data }) =>
    ({ name: text, shape: [...shape], sum: data.reduce((sum, value) => sum + Math.abs(value), 0) })));
  assert.deepEqual(held.map(({ name: text, shape }) => [text, shape]), Object.entries(arrays).map(([text, { shape }]) => [text, shape]));
  for (const { name: text, sum } of held) assert.equal(arrays[text].data.reduce((total, value) => total + Math.abs(value), 0), sum, text);

  const facts = await trainedTwice(driver);

  // leaving while it trains, and coming back: strokes, classes and what it has learned are there
  await driver.press("Train anew");
  await driver.wait(() => {
    const done = Number(document.getElementById("state").dataset.steps);
    return done > 1 && done < 40;
  });
  const free = [];
  for (let turn = 0; turn < 2; turn += 1) {
    await elsewhere(driver);
    await driver.wait(() => globalThis.explainer.painting.found !== null && globalThis.explainer.painting.head !== null);
    free.push(await tensors(driver));
    const back = await state(driver);
    assert.deepEqual(back.labels, now.labels);
    assert.ok(back.losses.length > 1 && back.losses.length < 40);
  }
  assert.equal(free[0], free[1]);

  // another picture has its own strokes; with the same classes both go into one file
  await smaller(driver, scene ?? first, "other", 96);
  await opened(driver, "own-other");
  assert.equal((await state(driver)).strokes.length, 0);
  await driver.wait(() => document.querySelector('[data-class="0"]') !== null);
  await driver.evaluate((names) => {
    document.querySelectorAll('.class input[type="text"]').forEach((field, k) => {
      field.value = names[k];
      field.dispatchEvent(new Event("change"));
    });
  }, now.classes);
  for (const [k, height] of [[0, 0.2], [1, 0.8]]) {
    await driver.evaluate(() => document.getElementById("painted").focus());
    await driver.key(String(k + 1));
    await driver.drag("#painted", [[0.1, height], [0.9, height]]);
    await painted(driver, k);
  }
  const both = await download(driver, () => driver.press("Save labels"));
  assert.equal(Object.keys(unzipped(both.bytes)).length, 6);
  assert.match(await message(driver), /2 pictures/);

  return {
    ...facts, classes: now.classes, height: now.height, width: now.width, name: stem,
    zip: both.bytes.toString("base64"), head: saved.bytes.toString("base64"),
  };
}

// To another chapter and back. Returns the picture that the other one showed.
async function elsewhere(driver) {
  await driver.evaluate(() => document.querySelector("header nav a:not([aria-current])").click());
  await driver.wait(() => document.querySelector(".stage").dataset.chapter !== "paint");
  const shown = await driver.evaluate(() => globalThis.explainer.current);
  await driver.evaluate(() => { location.hash = "paint"; });
  await driver.wait(() => document.querySelector(".stage").dataset.chapter === "paint");
  return shown;
}

// The head's weights, summed up.
const learned = (driver) => driver.evaluate(() => globalThis.explainer.painting.head.numbers().map(({ name, shape, data }) =>
  ({ name, shape: [...shape], sum: data.reduce((sum, value, i) => sum + value * (1 + (i % 7)), 0) })));

// Two steps of a new head, for Keras to do again: weights before and after each, and gradients.
function trainedTwice(driver) {
  return driver.evaluate(async () => {
    const base64 = (array) => {
      const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
      let text = "";
      for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
      return btoa(text);
    };
    const page = globalThis.explainer;
    const { head, painting } = page.painting;
    const network = await page.network();
    const { image } = painting.picture;
    const { labels } = painting.strokes;
    const logits = head.scores().data;
    const fresh = new head.constructor(network, page.networks.paint, painting.classes.length, 7);
    fresh.look(image);
    fresh.begin(40, 3e-3);
    const weights = () => Object.fromEntries(fresh.numbers().map(({ name, shape, data }) => [name, { shape: [...shape], data: base64(data) }]));
    const found = { logits: base64(logits), labels: base64(labels), steps: [], last: null };
    for (let step = 0; step < 2; step += 1) {
      const before = weights();
      const { loss, gradients } = fresh.gradients(labels);
      const texts = Object.fromEntries(Object.entries(gradients).map(([name, data]) => [name, base64(data)]));
      found.steps.push({ weights: before, loss, gradients: texts });
      fresh.step(labels);
    }
    found.last = weights();
    fresh.dispose();
    return found;
  });
}
