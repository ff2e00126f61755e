import assert from "node:assert/strict";

// The mask's pixels in the colour of each class, found by reading the canvas.
const MASK = { disc: [0, 114, 178], square: [213, 94, 0], triangle: [0, 158, 115] };

// What is drawn, found anew: pixels of the scene in vivid colours, as [column, row].
const drawn = (driver) => driver.evaluate(() => {
  const canvas = document.getElementById("scene");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const found = [];
  for (let i = 0; i < data.length / 4; i += 1) {
    const [red, green, blue] = data.slice(4 * i, 4 * i + 3);
    if (Math.abs(red - blue) > 100 || green - red > 100) found.push([i % canvas.width, Math.floor(i / canvas.width)]);
  }
  return found;
});
const masked = (driver, colour) => driver.evaluate((rgb) => {
  const canvas = document.getElementById("mask");
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const found = [];
  for (let i = 0; i < data.length / 4; i += 1) {
    if (rgb.every((value, c) => data[4 * i + c] === value)) found.push([i % canvas.width, Math.floor(i / canvas.width)]);
  }
  return found;
}, colour);
const changed = async (driver) => Number(await driver.evaluate(() => document.getElementById("mask").dataset.changed));
const words = (driver, task) => driver.text(`[data-task="${task}"]`);
const number = (value) => value.toLocaleString("en-US");

function differing(a, b) {
  const [before, after] = [a, b].map((cells) => new Set(cells.map(String)));
  return [...before].filter((cell) => !after.has(cell)).length + [...after].filter((cell) => !before.has(cell)).length;
}

// The label stays, the mask moves, by as many pixels as it should; all read from the picture.
export async function check(driver) {
  const before = await drawn(driver);
  assert.ok(before.length > 150);
  assert.equal(await driver.text("#label"), "disc");
  assert.deepEqual(await masked(driver, MASK.disc), before);
  assert.equal(await changed(driver), 0);
  for (const task of ["classification", "detection", "segmentation"]) {
    assert.match(await words(driver, task), /Same as at the start/);
  }

  await driver.drag("#scene", [[12.5 / 48, 14.5 / 36], [20.5 / 48, 10.5 / 36], [32.5 / 48, 19.5 / 36]]);
  const after = await drawn(driver);
  const [x, y] = [0, 1].map((axis) => after.map((cell) => cell[axis]));
  assert.deepEqual(after, before.map(([column, row]) => [column + 20, row + 5]));
  assert.deepEqual(await masked(driver, MASK.disc), after);
  assert.equal(await changed(driver), differing(before, after));
  assert.equal(await driver.text("#label"), "disc");
  assert.match(await words(driver, "classification"), /Same as at the start/);
  const place = `x ${Math.min(...x)}–${Math.max(...x)}, y ${Math.min(...y)}–${Math.max(...y)}`;
  assert.ok((await words(driver, "detection")).includes(place));
  assert.match(await words(driver, "detection"), /Moved/);
  const said = await words(driver, "segmentation");
  assert.ok(said.includes(`${number(differing(before, after))} labels have changed`), said);
  assert.ok(said.includes(`${number(48 * 36)} labels: ${after.length} disc, ${number(48 * 36 - after.length)} background`), said);

  // Keys move it by one pixel, and do not turn the page.
  const address = await driver.evaluate(() => location.hash);
  await driver.key("ArrowRight");
  await driver.key("ArrowUp");
  const stepped = await drawn(driver);
  assert.deepEqual(stepped, after.map(([column, row]) => [column + 1, row - 1]));
  assert.equal(await changed(driver), differing(before, stepped));
  assert.equal(await driver.evaluate(() => location.hash), address);

  // However wildly: it stays in the picture, whole.
  await driver.drag("#scene", [[33.5 / 48, 18.5 / 36], [1.8, -0.3], [-0.8, 1.5], [1.8, 1.5]]);
  const corner = await drawn(driver);
  assert.equal(corner.length, before.length);
  assert.equal(Math.max(...corner.map(([column]) => column)), 47);
  assert.equal(Math.max(...corner.map(([, row]) => row)), 35);
  await driver.press("Back to the start");
  assert.equal(await changed(driver), 0);
  assert.deepEqual(await drawn(driver), before);

  // Another shape takes the place of the one before; all three answers have changed, and say so.
  await driver.press("Somewhere else");
  const box = (cells) => [0, 1].map((axis) => cells.map((cell) => cell[axis]))
    .map((at) => [Math.min(...at), Math.max(...at)]);
  const moved = box(await drawn(driver));
  await driver.press("square", ".choice:nth-child(1)");
  assert.deepEqual(box(await drawn(driver)), moved);
  assert.equal(await driver.text("#label"), "square");
  assert.match(await words(driver, "classification"), /Another label/);
  assert.match(await words(driver, "detection"), /Other boxes/);
  const [disc0, square0] = [before, await drawn(driver)];
  const covers = new Set(square0.map(String));
  const either = new Set([...disc0.map(String), ...covers]); // all of these have another label now
  assert.equal(await changed(driver), either.size);
  for (const task of ["classification", "detection", "segmentation"]) {
    assert.doesNotMatch(await words(driver, task), /Same/);
  }

  // Each shape is told wherever it lies; somewhere else is far from where it was.
  for (const kind of ["triangle", "square"]) {
    await driver.press(kind, ".choice:nth-child(1)");
    for (let i = 0; i < 5; i += 1) {
      const [[left], [top]] = box(await drawn(driver));
      await driver.press("Somewhere else");
      const [[x1], [y1]] = box(await drawn(driver));
      assert.ok(Math.max(Math.abs(x1 - left), Math.abs(y1 - top)) >= 10);
      assert.equal(await driver.text("#label"), kind);
      assert.equal((await masked(driver, MASK[kind])).length, (await drawn(driver)).length);
    }
  }

  // Two shapes: two masks, two boxes, one label, that of the larger one; they do not cover each other.
  await driver.press("Back to the start");
  assert.equal(await driver.text("#label"), "disc");
  assert.equal(await changed(driver), 0);
  await driver.press("square", ".choice:nth-child(1)");
  await driver.press("disc", ".choice:nth-child(2)");
  const [square, disc] = [await masked(driver, MASK.square), await masked(driver, MASK.disc)];
  assert.equal(await driver.text("#label"), "square");
  assert.ok(disc.length > 80 && disc.length < square.length);
  await driver.drag("#scene", [[12.5 / 48, 14.5 / 36], [38 / 48, 25 / 36], [40 / 48, 27 / 36]]);
  assert.equal((await masked(driver, MASK.square)).length, square.length);
  assert.equal((await masked(driver, MASK.disc)).length, disc.length);
  assert.equal(await driver.evaluate(() => document.querySelectorAll("svg.answer-tile rect").length), 2);
  return { pixels: before.length };
}
