import assert from "node:assert/strict";

const CHANNELS = ["red", "green", "blue"];

// What the browser's own decoder finds in a picture of the page: { width, height, data }, RGBA.
const decoded = (driver, which) => driver.evaluate(async (number) => {
  const { src } = JSON.parse(document.getElementById("contents").textContent).pictures[number];
  const image = new Image();
  image.src = src;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  const context = canvas.getContext("2d");
  context.drawImage(image, 0, 0);
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
  return { width: canvas.width, height: canvas.height, data: [...data] };
}, which);

// The numbers written into a view: [[x, y, number, …], …].
const written = (driver, view) => driver.evaluate((name) =>
  [...document.querySelectorAll(`[data-view="${name}"] g[data-x]`)].map((cell) =>
    [cell.dataset.x, cell.dataset.y, ...[...cell.querySelectorAll("text")].map((text) => text.textContent)]
      .map(Number)), view);

// The next picture of the screen: what is drawn is drawn before it.
const drawn = (driver) => driver.evaluate(() =>
  new Promise((resolve) => { requestAnimationFrame(() => requestAnimationFrame(() => resolve(true))); }));

// Numbers of a pixel that have no air around them.
function touching() {
  return [...document.querySelectorAll(".view g[data-x]")].flatMap((cell) => {
    const rim = cell.querySelector("rect").getBoundingClientRect();
    const texts = [...cell.querySelectorAll("text")];
    const size = parseFloat(getComputedStyle(texts[0]).fontSize);
    const middles = texts.map((text) => {
      const { top, bottom } = text.getBoundingClientRect();
      return (top + bottom) / 2;
    });
    const free = (a, b) => b - a >= 1.1 * size;
    const wide = Math.max(...texts.map((text) => text.getBoundingClientRect().width));
    const fine = wide < rim.width - 4 && middles[0] - rim.top > 0.6 * size
      && rim.bottom - middles.at(-1) > 0.6 * size && middles.slice(1).every((y, i) => free(middles[i], y));
    return fine ? [] : [`${cell.dataset.x}, ${cell.dataset.y}`];
  });
}

const place = async (driver) => {
  const [, y, x] = (await driver.text(".reading")).match(/image\[(\d+), (\d+)\]/);
  return { x: Number(x), y: Number(y) };
};

// Every number that can be read is the picture's, and scaling a channel scales its table.
export async function check(driver) {
  await driver.wait(() => document.querySelector(".reading")?.textContent.includes("image["));
  const image = await decoded(driver, 0);
  const value = (c, x, y) => image.data[4 * (y * image.width + x) + c];
  const total = (await driver.text(".total")).replaceAll(",", "");
  assert.equal(total, `${image.height} rows × ${image.width} columns × 3 channels = `
    + `${3 * image.width * image.height} numbers`);
  const filled = await driver.evaluate(() => {
    const area = ({ clientWidth, clientHeight }) => clientWidth * clientHeight;
    const view = document.querySelector('[data-view="mixed"]');
    return area(view.querySelector("canvas")) / area(view);
  });
  assert.ok(filled > 0.9, `at first the picture fills ${filled} of its place`);
  await driver.slide("zoom", 0);
  await drawn(driver);
  const zoom = () => driver.evaluate(() => document.querySelector(".slider output").textContent);
  assert.equal(await zoom(), `${image.height} × ${image.width}`); // height × width
  assert.equal((await written(driver, "mixed")).length, 0, "the whole picture has no room for numbers");

  // A click chooses the pixel under it.
  await driver.point('[data-view="mixed"] canvas', 0.25, 0.6);
  await drawn(driver);
  const clicked = await place(driver);
  assert.ok(Math.abs(clicked.x - 0.25 * image.width) <= 2 && Math.abs(clicked.y - 0.6 * image.height) <= 2);
  assert.ok((await driver.text(".reading")).includes(
    CHANNELS.map((name, c) => `${name} ${value(c, clicked.x, clicked.y)}`).join(", ")));

  // Zoomed in, all numbers can be read, in all four views, around that pixel.
  await driver.slide("zoom", 1);
  await driver.wait(() => document.querySelectorAll('[data-view="mixed"] g[data-x]').length > 8);
  const compare = async (factors) => {
    const seen = (c, x, y) => Math.min(255, Math.round(factors[c] * value(c, x, y)));
    const mixed = await written(driver, "mixed");
    assert.ok(mixed.length >= 20, `${mixed.length} pixels with numbers`);
    for (const [x, y, ...numbers] of mixed) {
      assert.deepEqual(numbers, CHANNELS.map((_, c) => seen(c, x, y)), `pixel ${x}, ${y}`);
    }
    for (const [c, name] of CHANNELS.entries()) {
      const table = await written(driver, name);
      assert.equal(table.length, mixed.length);
      for (const [x, y, number] of table) assert.equal(number, seen(c, x, y), `${name} ${x}, ${y}`);
    }
    const colours = await driver.evaluate(() => {
      const canvas = document.querySelector('[data-view="mixed"] canvas');
      return [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data];
    });
    mixed.forEach(([, , ...numbers], i) => assert.deepEqual(colours.slice(4 * i, 4 * i + 3), numbers));
    assert.deepEqual(await driver.evaluate(touching), [], "numbers touch each other or the rim");
    return mixed;
  };
  const mixed = await compare([1, 1, 1]);
  assert.ok(mixed.some(([x, y]) => x === clicked.x && y === clicked.y), "the chosen pixel is seen");

  // Scaled channels.
  await driver.slide("red", 0.5);
  await driver.slide("green", 0);
  await driver.slide("blue", 2);
  await drawn(driver);
  await compare([0.5, 0, 2]);
  for (const name of CHANNELS) await driver.slide(name, 1);

  // Arrow keys walk on to pixels that were not seen; the page stays where it is.
  await driver.evaluate(() => document.querySelector('[data-view="mixed"]').focus());
  for (let i = 0; i < 12; i += 1) await driver.key("ArrowRight");
  await driver.key("ArrowUp");
  await drawn(driver);
  assert.deepEqual(await place(driver), { x: clicked.x + 12, y: clicked.y - 1 });
  const walked = await compare([1, 1, 1]);
  assert.ok(walked.some(([x, y]) => x === clicked.x + 12 && y === clicked.y - 1));
  assert.equal(await driver.evaluate(() => document.querySelector(".stage").dataset.chapter), "review");
  await driver.key("-");
  await drawn(driver);
  assert.ok((await driver.evaluate(() => Number(document.querySelector(".slider input").value))) < 1);

  // Of two pictures, the one chosen last is shown, even if the first arrives after it.
  const count = await driver.evaluate(async () => {
    const page = globalThis.explainer;
    const [, second, third] = page.contents.pictures;
    if (!third) return 2;
    const late = await page.picture(third.id);
    let release;
    page.picture = () => new Promise((resolve) => { release = () => resolve(late); });
    page.choose(third.id);
    delete page.picture; // the class's own again
    page.choose(second.id);
    await page.picture(second.id);
    await new Promise((resolve) => { setTimeout(resolve); });
    release();
    await new Promise((resolve) => { setTimeout(resolve); });
    return 3;
  });
  if (count > 2) {
    const second = await decoded(driver, 1);
    const words = `${second.height} rows × ${second.width} columns`;
    await driver.wait((expected) => document.querySelector(".total").textContent.startsWith(expected), words);
    await drawn(driver);
    const { x, y } = await place(driver);
    const start = 4 * (y * second.width + x);
    assert.ok((await driver.text(".reading")).includes(
      CHANNELS.map((name, c) => `${name} ${second.data[start + c]}`).join(", ")));
  }

  // A picture of one's own: 3 × 2 pixels, so that its numbers are readable at once.
  const base64 = await driver.evaluate(() => {
    const canvas = document.createElement("canvas");
    canvas.width = 3;
    canvas.height = 2;
    const data = Uint8ClampedArray.from({ length: 24 }, (_, i) => (i % 4 === 3 ? 255 : 10 * i));
    canvas.getContext("2d").putImageData(new ImageData(data, 3, 2), 0, 0);
    return canvas.toDataURL("image/png").split(",")[1];
  });
  await driver.give(".picker input[type=file]", "own.png", "image/png", base64);
  await driver.wait(() => document.querySelector(".total").textContent.startsWith("2 rows × 3 columns"));
  await drawn(driver);
  assert.deepEqual(await written(driver, "mixed"), [0, 1, 2, 3, 4, 5].map((i) =>
    [i % 3, Math.floor(i / 3), 40 * i, 40 * i + 10, 40 * i + 20]));
  await driver.give(".picker input[type=file]", "empty.png", "image/png", "");
  await driver.wait(() => document.querySelector(".message p").textContent.includes("empty"));
  return { pixels: mixed.length };
}
