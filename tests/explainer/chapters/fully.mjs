import assert from "node:assert/strict";

const ceil = (size, stride) => Math.ceil(size / stride);
const number = (value) => value.toLocaleString("en-US");
const minus = (value) => String(value).replace("-", "−");

// Waits until the network has answered for a size, and compares everything that tells it.
async function answered(driver, height, width) {
  await driver.wait(([rows, columns]) => {
    const canvas = document.getElementById("sized");
    return canvas.height === rows && canvas.width === columns && canvas.dataset.runs !== undefined
      && !document.querySelector(".area").classList.contains("busy");
  }, [height, width]);
  const classes = await driver.evaluate(() => globalThis.explainer.classes.length);
  assert.equal(await driver.text("#given-size"), `${height} × ${width} × 3`);
  assert.equal(await driver.text("#answer-size"), `${height} × ${width} × ${classes}`);
  for (const [layer, stride] of [["pool3", 8], ["pool4", 16], ["pool5", 32]]) {
    const [rows, columns] = [ceil(height, stride), ceil(width, stride)];
    assert.equal(await driver.text(`[data-layer="${layer}"] figcaption`), `${layer} (1/${stride}): ${rows} × ${columns}`);
    const [lines, box] = await driver.evaluate((name) => {
      const path = document.querySelector(`[data-layer="${name}"] path`);
      const { width: across, height: down } = path.getBBox();
      return [path.getAttribute("d").split("M").length - 1, [across, down]];
    }, layer);
    assert.equal(lines, rows + columns + 2);
    assert.deepEqual(box.map(Math.round), [columns * stride, rows * stride]);
  }
}

// What the network itself says of the picture in that size: the overlay, anew.
const agrees = (driver) => driver.evaluate(async () => {
  const { explainer } = globalThis;
  const network = await explainer.network();
  const { tf } = network;
  const shown = document.getElementById("sized");
  const { width, height } = shown;
  const { image } = await explainer.picture();
  const [from, to] = [0, 1].map(() => document.createElement("canvas"));
  [from.width, from.height, to.width, to.height] = [image.width, image.height, width, height];
  from.getContext("2d").putImageData(image, 0, 0);
  const context = to.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  // the picture keeps its proportions: what is too wide or too high is cut off on both sides
  const wide = image.width * height > image.height * width;
  const source = wide ? [image.height * (width / height), image.height] : [image.width, image.width * (height / width)];
  const start = [(image.width - source[0]) / 2, (image.height - source[1]) / 2];
  context.drawImage(from, ...start, ...source, 0, 0, width, height);
  const small = context.getImageData(0, 0, width, height).data;
  const given = tf.tensor([...small].filter((_, i) => i % 4 < 3), [1, height, width, 3]);
  const output = network.run(explainer.networks.result, ["output"], { image: given }).output;
  const scores = output.dataSync();
  const classes = output.shape[3];
  const data = shown.getContext("2d").getImageData(0, 0, width, height).data;
  let off = 0;
  for (let i = 0; i < width * height; i += 1) {
    const own = [...scores.subarray(i * classes, (i + 1) * classes)];
    const colour = explainer.colours[own.indexOf(Math.max(...own))];
    for (let c = 0; c < 3; c += 1) {
      const wanted = colour ? (small[4 * i + c] + colour[c]) / 2 : small[4 * i + c];
      off = Math.max(off, Math.abs(data[4 * i + c] - wanted));
    }
  }
  given.dispose();
  output.dispose();
  return { off, shape: output.shape };
});

// The same weights take every size, and answer in that size.
async function anySize(driver) {
  await answered(driver, 160, 576);
  const weights = await driver.text("#weight-count");
  const counted = await driver.evaluate(() =>
    globalThis.explainer.contents.layers.reduce((sum, { parameters }) => sum + parameters, 0));
  assert.equal(weights, `${number(counted)}, always`);
  for (const [height, width] of [[97, 131], [32, 500], [1, 1], [160, 576]]) {
    await driver.press(`${height} × ${width}`, ".sides");
    await answered(driver, height, width);
    const { off, shape } = await agrees(driver);
    assert.deepEqual(shape.slice(1, 3), [height, width]);
    assert.ok(off <= 1, `the overlay is off by ${off}`);
    assert.equal(await driver.text("#weight-count"), weights);
    assert.equal(/not coloured/.test(await driver.text("#edges")), height % 32 > 0 || width % 32 > 0);
  }
  await driver.slide("Height", 33);
  await driver.slide("Width", 7);
  await answered(driver, 33, 7);
  assert.equal(await driver.evaluate(() => document.querySelector(".enlarged").hidden), false);

  // The corner, by keys and with the mouse.
  await driver.evaluate(() => document.querySelector(".area .corner").focus());
  await driver.key("ArrowRight");
  await driver.key("ArrowDown");
  await answered(driver, 34, 8);
  for (let i = 0; i < 9; i += 1) await driver.key("ArrowLeft");
  await answered(driver, 34, 1);
  assert.equal(await driver.evaluate(() => location.hash), "#fully");
  const moved = await driver.evaluate(() => {
    const area = document.querySelector(".area").getBoundingClientRect();
    const corner = document.querySelector(".area .corner").getBoundingClientRect();
    return [(corner.left + corner.width / 2 - area.left) / area.width, (corner.top + corner.height / 2 - area.top) / area.height];
  });
  await driver.drag(".area", [moved, [0.9, 0.9], [moved[0] + 0.4, moved[1] + 0.3]]);
  const dragged = await driver.evaluate(() => [...document.querySelectorAll(".sides output")].map((node) => Number(node.textContent)));
  assert.ok(Math.abs(dragged[0] - (34 + 0.3 * 320)) <= 1 && Math.abs(dragged[1] - (1 + 0.4 * 640)) <= 1, String(dragged));
  await answered(driver, ...dragged);
  return { weights: counted };
}

const grid = (driver, place) => driver.evaluate((selector) =>
  [...document.querySelectorAll(`${selector} .cell`)].map((cell) => Number(cell.textContent.replace("−", "-"))), place);

// One number for nine inputs; more inputs only for the convolution.
async function folding(driver) {
  await driver.press("A dense layer folds into a convolution");
  const [inputs, weights] = [await grid(driver, ".input"), await grid(driver, ".nine")];
  assert.equal(inputs.length, 9);
  const dot = inputs.reduce((sum, value, i) => sum + value * weights[i], 0);
  assert.equal(await driver.text("#dense"), minus(dot));
  const told = () => driver.evaluate(() => document.querySelector(".verdicts p.verdict").checkVisibility());
  assert.equal((await grid(driver, ".replies")).length, 0);
  assert.ok(await told());
  await driver.press("kernel");
  assert.ok(!(await told()));
  assert.deepEqual(await grid(driver, ".replies"), [dot]);

  for (const size of [5, 7, 4]) {
    await driver.slide("Input", size);
    await convolved(driver, size);
    assert.ok((await driver.text("#dense")).includes(`${number(size * size)} inputs, 9 weights`));
  }
  // another weight, by the keys; the last answer, by the keys
  await driver.evaluate(() => document.querySelector(".nine .cell").focus());
  await driver.key("ArrowRight");
  await driver.key("ArrowDown");
  await driver.key("Enter");
  const after = await grid(driver, ".nine");
  assert.deepEqual(after.map((weight, i) => weight - weights[i]), [0, 0, 0, 0, weights[4] === 2 ? -4 : 1, 0, 0, 0, 0]);
  await convolved(driver, 4);
  await driver.evaluate(() => document.querySelector(".replies .cell").focus());
  await driver.key("End");
  const values = await grid(driver, ".replies");
  assert.ok((await driver.text("#sum")).endsWith(` = ${minus(values.at(-1))}`));
  const seen = await driver.evaluate(() =>
    [...document.querySelectorAll(".input .cell")].flatMap((cell, i) => (cell.classList.contains("seen") ? [i] : [])));
  assert.deepEqual(seen, [5, 6, 7, 9, 10, 11, 13, 14, 15]);

  await driver.evaluate(() => document.querySelector(".field .corner").focus());
  for (let i = 0; i < 5; i += 1) await driver.key("ArrowRight");
  await convolved(driver, 7);
  for (let i = 0; i < 9; i += 1) await driver.key("ArrowUp");
  await convolved(driver, 3);
  assert.equal(await driver.text("#dense"), minus((await grid(driver, ".replies"))[0]));
  assert.equal(await driver.evaluate(() => location.hash), "#fully");
}

async function convolved(driver, size) {
  const [inputs, weights] = [await grid(driver, ".input"), await grid(driver, ".nine")];
  assert.equal(inputs.length, size * size);
  const wanted = [];
  for (let y = 0; y + 3 <= size; y += 1) {
    for (let x = 0; x + 3 <= size; x += 1) {
      let sum = 0;
      for (let k = 0; k < 9; k += 1) sum += weights[k] * inputs[(y + Math.floor(k / 3)) * size + x + (k % 3)];
      wanted.push(sum);
    }
  }
  assert.deepEqual(await grid(driver, ".replies"), wanted);
}

// A picture comes in its own size, or as much smaller as there is room; what is drawn has its colours.
async function ownSize(driver) {
  for (const [name, width, height, shown] of [["tall.svg", 40, 60, [60, 40]], ["high.svg", 300, 640, [320, 150]]]) {
    const drawn = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="#47a"/><circle cx="20" cy="20" r="12" fill="#fb4"/></svg>`;
    await driver.give('.picker input[type="file"]', name, "image/svg+xml", Buffer.from(drawn).toString("base64"));
    await answered(driver, ...shown);
    const { off } = await agrees(driver);
    assert.ok(off <= 1, `the overlay is off by ${off}`);
  }
  await driver.evaluate(() => globalThis.explainer.choose(globalThis.explainer.contents.pictures[0].id));
}

export async function check(driver) {
  const facts = await anySize(driver);
  await ownSize(driver);
  await folding(driver);
  await driver.press("Any size");
  await answered(driver, 160, 576);
  return facts;
}
