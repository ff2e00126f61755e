import assert from "node:assert/strict";

// The scores under a pixel are the network's, the probabilities their softmax; what a layer sees there
// is what a walk over the graph, written anew here, finds.
export async function check(driver) {
  await driver.wait(() => document.querySelectorAll(".pixel-bars [data-class]").length > 0);
  const tried = [];
  for (const [x, y] of [
    [0.31, 0.7],
    [0.003, 0.01],
    [0.996, 0.99],
  ]) {
    await driver.point(".pixel-picture", x, y);
    tried.push(await compare(driver, await place(driver)));
  }

  // Arrow keys move the pixel, and the page does not turn. What a click chose is kept.
  await driver.point(".pixel-picture", 0.5, 0.5);
  const before = await place(driver);
  for (const key of ["ArrowRight", "ArrowRight", "ArrowDown", "ArrowLeft"]) await driver.key(key);
  const after = await place(driver);
  assert.deepEqual(after, { x: before.x + 1, y: before.y + 1 });
  assert.equal(await driver.evaluate(() => location.hash), "#pixel");
  await compare(driver, after);

  // Every layer can be chosen, with the keys of radio buttons too.
  const layers = await driver.evaluate(() =>
    [...document.querySelectorAll(".pixel-tower [data-layer]")].map((node) => node.dataset.layer),
  );
  for (const layer of layers) {
    await choose(driver, layer);
    tried.push(await compare(driver, after));
  }
  await driver.evaluate(() => document.querySelector(".pixel-tower input:checked").focus());
  await driver.key("ArrowUp");
  const moved = await driver.evaluate(() => document.querySelector(".pixel-tower").dataset.layer);
  assert.equal(moved, layers.at(-2));
  assert.equal(await driver.evaluate(() => location.hash), "#pixel");

  // What the page says about a position's pixels, and the lead of the printed scores. No number runs
  // into its neighbour, also where the scores are lowest.
  for (const [x, y] of [
    [0.5, 0.5],
    [0.9, 0.03],
    [0.5, 0.98],
    [0.05, 0.95],
  ]) {
    await driver.point(".pixel-picture", x, y);
    await neat(driver);
  }
  await driver.evaluate(() => document.querySelector(".answer").click());
  const shared = await driver.evaluate(async (names) => {
    const page = globalThis.explainer;
    const network = await page.network();
    const { image } = await page.picture();
    const shape = [1, image.height, image.width, 3];
    const given = network.tf.tensor(new Float32Array(3 * image.height * image.width), shape);
    const found = network.run(page.networks.result, names, { image: given });
    const sides = names.map((name) => {
      const [, rows, columns] = found[name].shape;
      return [name, [image.height / rows, image.width / columns]];
    });
    [given, ...Object.values(found)].forEach((tensor) => tensor.dispose());
    return Object.fromEntries(sides);
  }, layers);
  for (const layer of layers) {
    await choose(driver, layer);
    await driver.point(".pixel-picture", 0.9, 0.03);
    await neat(driver);
    const [high, wide] = shared[layer];
    const key = await driver.text(".pixel-key");
    if (high * wide === 1) assert.match(key, /its own position/);
    else assert.ok(key.includes(`${high} × ${wide} pixels share one position of ${layer}`), key);
  }

  // Another picture, of a size that no stride divides.
  await driver.evaluate(() => {
    const image = new ImageData(101, 67);
    for (let i = 0; i < image.data.length; i += 1) image.data[i] = i % 4 === 3 ? 255 : (i * 37) % 251;
    globalThis.explainer.add({ id: "own-odd", title: "odd", source: "yours", image, labels: null });
  });
  await driver.wait(
    () =>
      document.querySelector(".pixel-picture canvas").width === 101 &&
      document.querySelectorAll(".pixel-bars [data-class]").length > 0,
  );
  for (const layer of layers) {
    await choose(driver, layer);
    tried.push(await compare(driver, await place(driver)));
  }
  const outside = tried.filter(({ beyond }) => beyond > 0).length;
  assert.ok(outside > 0 && outside < tried.length, "some fields reach outside, some do not");
  return { layers, compared: tried.length };
}

// Nothing is wider than its place, nothing scrolls, and the sentence agrees with the scores beside it.
async function neat(driver) {
  const { wide, scrolls, scores, sentence } = await driver.evaluate(() => ({
    wide: [...document.querySelectorAll(".pixel-bars .value, .pixel-tower .size, .pixel-bars .two")]
      .filter((node) => node.scrollWidth > node.clientWidth)
      .map((node) => node.textContent),
    scrolls: [".stage", "main"].map((name) => {
      const node = document.querySelector(name);
      return Math.max(node.scrollHeight - node.clientHeight, node.scrollWidth - node.clientWidth);
    }),
    scores: [...document.querySelectorAll(".pixel-bars [data-score] .value:nth-child(2)")].map(
      (node) => node.textContent,
    ),
    sentence: document.querySelector(".pixel-verdict").textContent,
  }));
  assert.deepEqual(wide, []);
  assert.deepEqual(scrolls, [0, 0]);
  const hundredths = scores.map((text) => Math.round(100 * Number(text.replace("−", "-")))).sort((a, b) => b - a);
  const [, lead] = sentence.match(/, (\d+\.\d\d) ahead of/);
  assert.equal(Math.round(100 * Number(lead)), hundredths[0] - hundredths[1], `${scores}: ${sentence}`);
  const times = Math.exp(Number(lead));
  if (times >= 1e6) assert.match(sentence, /more than a million times as probable/);
  else {
    const said = Number(sentence.match(/about ([\d,.]+) times/)[1].replaceAll(",", ""));
    assert.ok(Math.abs(said / times - 1) < 0.051, `${sentence} (${times})`);
  }
}

// The pixel that the page names.
async function place(driver) {
  const [, y, x] = (await driver.text(".pixel-scores h3")).match(/row (\d+), column (\d+)/);
  return { x: Number(x), y: Number(y) };
}

const choose = (driver, layer) =>
  driver.evaluate((name) => {
    document.querySelector(`.pixel-tower [data-layer="${name}"] input`).click();
  }, layer);

async function compare(driver, { x, y }) {
  const { scores, graph, size, shown, layer } = await driver.evaluate(
    async ([column, row]) => {
      const page = globalThis.explainer;
      const network = await page.network();
      const { id, image } = await page.picture();
      const once = (globalThis.once ??= {}); // the network's answer, once for a picture
      if (!once[id]) {
        const rgb = Float32Array.from(
          { length: 3 * image.width * image.height },
          (_, i) => image.data[4 * Math.floor(i / 3) + (i % 3)],
        );
        const given = network.tf.tensor(rgb, [1, image.height, image.width, 3]);
        const { output } = network.run(page.networks.result, ["output"], { image: given });
        once[id] = { shape: output.shape, data: output.dataSync() };
        given.dispose();
        output.dispose();
      }
      const { data, shape } = once[id];
      const [, , width, channels] = shape;
      return {
        scores: Array.from(
          data.subarray((row * width + column) * channels, (row * width + column + 1) * channels),
        ),
        graph: {
          operations: page.contents.graph.operations,
          layers: page.contents.graph.models[page.networks.result],
        },
        size: [image.height, image.width],
        shown: [...document.querySelectorAll(".pixel-bars [data-class]")].map(({ dataset }) => [
          Number(dataset.class),
          Number(dataset.score),
          Number(dataset.probability),
        ]),
        layer: {
          ...document.querySelector(".pixel-tower").dataset,
          words: document.querySelector(".pixel-below .facts").textContent,
        },
      };
    },
    [x, y],
  );

  const total = scores.reduce((sum, score) => sum + Math.exp(score), 0);
  for (const [number, score, probability] of shown) {
    assert.ok(Math.abs(score - scores[number]) < 1e-3, `score of class ${number} at ${x}, ${y}`);
    assert.ok(
      Math.abs(probability - Math.exp(scores[number]) / total) < 1e-3,
      `probability of class ${number}`,
    );
  }
  const best = scores.indexOf(Math.max(...scores));
  assert.equal(
    Number(await driver.evaluate(() => document.querySelector(".pixel-scores").dataset.winner)),
    best,
  );

  const number = graph.layers[layer.layer];
  const [row, column] = layer.position.split(",").map(Number);
  const walk = new Walk(graph.operations, size);
  assert.equal(row, Math.floor(y / stride(size[0], walk.size(number, 0))), `row of ${layer.layer}`);
  assert.equal(column, Math.floor(x / stride(size[1], walk.size(number, 1))), `column of ${layer.layer}`);
  const rows = walk.sees(number, row, row, 0);
  const columns = walk.sees(number, column, column, 1);
  assert.equal(layer.rows, rows.join(), `rows that ${layer.layer} sees`);
  assert.equal(layer.columns, columns.join(), `columns that ${layer.layer} sees`);
  const inside = [
    [rows, size[0]],
    [columns, size[1]],
  ].map(
    ([[first, last], end]) =>
      Array.from({ length: last - first + 1 }, (_, i) => first + i).filter((i) => i >= 0 && i < end).length /
      (last - first + 1),
  );
  const beyond = 1 - inside[0] * inside[1];
  if (beyond > 0) {
    const said = Number(layer.words.match(/([\d.]+) % of them lie outside/)[1]) / 100;
    assert.ok(Math.abs(said - beyond) <= 0.005, `${layer.words} (${beyond})`);
  } else {
    assert.match(layer.words, /all of them in the picture/);
  }
  return { layer: layer.layer, beyond };
}

// A map of a picture of this size divides it by a power of two.
function stride(pixels, positions) {
  let found = 1;
  while (Math.ceil(pixels / found) !== positions) found *= 2;
  return found;
}

// Which pixels positions `first` to `last` of a map see, one operation after the other.
class Walk {
  constructor(operations, size) {
    Object.assign(this, { operations, image: size, sizes: new Map() });
  }

  size(number, axis) {
    const key = `${number},${axis}`;
    if (!this.sizes.has(key)) this.sizes.set(key, this.#size(this.operations[number], axis));
    return this.sizes.get(key);
  }

  #size({ kind, inputs, kernel, strides, padding, stride }, axis) {
    if (!inputs.length) return this.image[axis];
    const n = this.size(inputs[0], axis);
    if (kind === "ZeroPadding2D") return n + padding[axis][0] + padding[axis][1];
    if (kind === "CropToMatch") return Math.ceil(this.size(inputs[1], axis) / stride);
    if (kind === "Conv2DTranspose")
      return padding === "same"
        ? n * strides[axis]
        : n * strides[axis] + Math.max(0, kernel[axis] - strides[axis]);
    if (!kernel) return n;
    return padding === "same"
      ? Math.ceil(n / strides[axis])
      : Math.floor((n - kernel[axis]) / strides[axis]) + 1;
  }

  sees(number, first, last, axis) {
    const { kind, inputs, kernel, strides, padding, offset } = this.operations[number];
    if (!inputs.length) return [first, last];
    const below = (from, to) => this.sees(inputs[0], from, to, axis);
    if (kind === "ZeroPadding2D") return below(first - padding[axis][0], last - padding[axis][0]);
    if (kind === "CropToMatch") return below(first + offset, last + offset);
    if (kind === "Conv2DTranspose") {
      const cut = padding === "same" ? Math.floor((kernel[axis] - strides[axis]) / 2) : 0;
      // Position i of the input is written to i · stride − cut … + kernel − 1.
      let from = Math.floor((first + cut) / strides[axis]);
      while ((from - 1) * strides[axis] - cut + kernel[axis] - 1 >= first) from -= 1;
      const to = Math.floor((last + cut) / strides[axis]);
      return below(from, to);
    }
    if (inputs.length > 1) {
      // a sum of maps
      const seen = inputs.map((input) => this.sees(input, first, last, axis));
      return [Math.min(...seen.map(([from]) => from)), Math.max(...seen.map(([, to]) => to))];
    }
    if (!kernel) return below(first, last);
    const n = this.size(inputs[0], axis);
    const out = Math.ceil(n / strides[axis]);
    const whole = Math.max(0, (out - 1) * strides[axis] + kernel[axis] - n);
    const before = padding === "same" ? Math.floor(whole / 2) : 0;
    return below(first * strides[axis] - before, last * strides[axis] - before + kernel[axis] - 1);
  }
}
