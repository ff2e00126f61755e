import assert from "node:assert/strict";

const number = (text) => Number(text.replace("−", "-"));

// The numbers of a grid, row by row, and the places of those that SAME cuts.
const grid = async (driver, name) => table(await driver.evaluate((which) =>
  [...document.querySelectorAll(`[data-grid="${which}"] g.cell`)].map((cell) => [
    Number(cell.dataset.row), Number(cell.dataset.column), cell.querySelector("text").textContent,
    cell.classList.contains("cut"),
  ]), name));

function table(cells) {
  const rows = [];
  for (const [row, column, text] of cells) (rows[row] ??= [])[column] = number(text);
  const cut = cells.filter(([, , , gone]) => gone).map(([row, column]) => `${row} ${column}`);
  return { rows, cut: new Set(cut) };
}
const kernelOf = (driver) => driver.evaluate(() =>
  [...document.querySelectorAll('.weights[aria-label="kernel"] input')].map((input) =>
    Number(input.value.replace("−", "-"))));

// Keras' rules along one axis, in loops that know nothing of the page.
function sizes(n, k, stride, padding) {
  const more = Math.max(k - stride, 0);
  return padding === "SAME"
    ? { full: n * stride + more, size: n * stride, start: Math.floor(more / 2) }
    : { full: n * stride + more, size: n * stride + more, start: 0 };
}

// All stamps, before anything is cut.
function stamps(input, kernel, k, stride, count = Infinity) {
  const n = input.length;
  const { full } = sizes(n, k, stride, "VALID");
  const out = Array.from({ length: full }, () => Array(full).fill(0));
  for (let i = 0; i < n; i += 1) {
    for (let j = 0; j < n && i * n + j < count; j += 1) {
      for (let y = 0; y < k; y += 1) {
        for (let x = 0; x < k; x += 1) out[i * stride + y][j * stride + x] += input[i][j] * kernel[k * y + x];
      }
    }
  }
  return out;
}

const kept = (rows, { size, start }) =>
  rows.slice(start, start + size).map((row) => row.slice(start, start + size));

const focus = (driver, name) =>
  driver.evaluate((which) => document.querySelector(`[data-grid="${which}"]`).focus(), name);

// Many settings, one after the other, and what each view shows: all in one visit of the page.
const seen = (driver, settings) => driver.evaluate((wanted) => {
  const set = (name, value) => {
    const box = [...document.querySelectorAll("fieldset.choice")].find((node) =>
      node.querySelector("legend").textContent === name);
    [...box.querySelectorAll("label")].find((label) => label.textContent === String(value)).click();
  };
  const slide = (name, value) => {
    const input = [...document.querySelectorAll(".slider")].find((node) =>
      node.querySelector("label").textContent.trim() === name).querySelector("input");
    input.value = value;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const controls = {
    padding: set, stride: set,
    n: (_, value) => slide("input", value), k: (_, value) => slide("kernel", value),
  };
  const cells = (name) => [...document.querySelectorAll(`[data-grid="${name}"] g.cell`)].map((cell) => [
    Number(cell.dataset.row), Number(cell.dataset.column), cell.querySelector("text").textContent,
    cell.classList.contains("cut"),
  ]);
  const stage = document.querySelector(".stage");
  const now = {};
  const apply = (setting) => {
    for (const [name, value] of Object.entries(setting)) {
      if (now[name] !== value) controls[name](name, value);
      now[name] = value;
    }
  };
  const shown = wanted.map(() => ({ tooHigh: 0 }));
  const views = {
    stamps: (found) => {
      const input = document.querySelector('[data-grid="input"]');
      input.dispatchEvent(new KeyboardEvent("keydown", { key: "End", bubbles: true, cancelable: true }));
      for (const name of ["input", "stamped", "counts"]) found[name] = cells(name);
      found.kernel = [...document.querySelectorAll('.weights[aria-label="kernel"] input')].map(({ value }) =>
        Number(value.replace("−", "-")));
    },
    "inserted zeros": (found) => {
      for (const name of ["output", "spread", "flipped"]) found[name] = cells(name);
    },
    "the matrix": (found) => {
      for (const name of ["vector-y", "vector-x", "matrix", "convolution-matrix"]) found[name] = cells(name);
      found.again = document.querySelector(".inverse").dataset.again.split(" ").map(Number);
    },
  };
  for (const [view, look] of Object.entries(views)) {
    set("view", view);
    wanted.forEach((setting, i) => {
      apply(setting);
      look(shown[i]);
      shown[i].tooHigh = Math.max(shown[i].tooHigh, stage.scrollHeight - stage.clientHeight);
      shown[i].formula = document.querySelector(".formula").textContent;
      shown[i].agreement = document.querySelector(".agreement").textContent;
    });
  }
  return shown;
}, settings);

// What the views show for one setting, by Keras' rules.
function verify(shown, { n, k, stride, padding }) {
  const where = `${n} × ${n}, kernel ${k}, stride ${stride}, ${padding}`;
  const view = (name) => table(shown[name]).rows;
  const { kernel } = shown;
  const input = view("input");
  assert.equal(input.length, n, where);
  assert.equal(kernel.length, k * k, where);
  const axis = sizes(n, k, stride, padding);
  const all = stamps(input, kernel, k, stride);

  // Stamps: all of them, with what is cut marked; and how many reach each cell.
  const stamped = table(shown.stamped);
  assert.deepEqual(stamped.rows, all, where);
  const outside = (i) => i < axis.start || i >= axis.start + axis.size;
  stamped.rows.forEach((row, y) => row.forEach((_, x) =>
    assert.equal(stamped.cut.has(`${y} ${x}`), outside(y) || outside(x), `${where}: ${y}, ${x}`)));
  const ones = input.map((row) => row.map(() => 1));
  assert.deepEqual(view("counts"), stamps(ones, kernel.map(() => 1), k, stride), where);

  // Inserted zeros: the same numbers; every value of the input is there once.
  assert.deepEqual(view("output"), kept(all, axis), where);
  const spread = view("spread");
  assert.equal(spread.length, axis.size + k - 1, where);
  assert.deepEqual(spread.flat().filter((value) => value !== 0), input.flat(), where);
  assert.deepEqual(view("flipped").flat(), [...kernel].reverse(), where);

  // The matrix, for the first rows: its transpose times the input; not an inverse.
  const line = Array(axis.full).fill(0);
  input[0].forEach((value, i) => {
    for (let x = 0; x < k; x += 1) line[i * stride + x] += value * kernel[x];
  });
  const y = line.slice(axis.start, axis.start + axis.size);
  assert.deepEqual(view("vector-y").flat(), y, where);
  assert.deepEqual(view("vector-x").flat(), input[0], where);
  const forward = view("convolution-matrix");
  assert.deepEqual(view("matrix"), forward[0].map((_, column) => forward.map((row) => row[column])), where);
  // An ordinary convolution of y, by Keras' rule, is what C does to it.
  const again = input[0].map((_, i) => {
    let sum = 0;
    for (let x = 0; x < k; x += 1) sum += kernel[x] * (y[i * stride + x - axis.start] ?? 0);
    return sum;
  });
  assert.deepEqual(shown.again, again, where);

  assert.match(shown.agreement, /the same (numbers|rule)/, where);
  const { formula } = shown;
  const more = k > stride
    ? ` ${k} − ${stride} = ${k - stride} further: ${axis.full}.` : ` make ${axis.full}.`;
  assert.ok(formula.includes(`${n} steps of ${stride}`) && formula.includes(more), `${where}: ${formula}`);
  if (padding === "SAME" && axis.full > axis.size) {
    const after = axis.full - axis.size - axis.start;
    assert.ok(formula.includes(`cuts ${axis.start} before, ${after} after`), formula);
  }
  assert.ok(shown.tooHigh <= 0, `${where}: the stage scrolls by ${shown.tooHigh} pixels`);
}

const compare = async (driver, setting) => verify((await seen(driver, [{}]))[0], setting);

export async function check(driver) {
  await driver.wait(() => document.querySelectorAll('[data-grid="stamped"] g.cell').length > 0);
  // All kernels, strides and paddings; the input's size comes in turn, the largest with the largest.
  const settings = [];
  for (const padding of ["SAME", "VALID"]) {
    for (const stride of [1, 2, 3]) {
      for (const k of [1, 2, 3, 4, 5]) settings.push({ padding, stride, n: 2 + ((k + 3 - stride) % 3), k });
      settings.push({ padding, stride, n: 4, k: 5 });
    }
  }
  (await seen(driver, settings)).forEach((shown, i) => verify(shown, settings[i]));

  // The checkerboard comes with kernel 3, stride 2, and goes with kernel 4.
  await driver.choose("view", "stamps");
  await driver.choose("stride", 2);
  await driver.slide("kernel", 3);
  assert.match(await driver.text(".evenness"), /^Uneven.* 1, 2 or 4\.$/);
  await driver.slide("kernel", 4);
  assert.match(await driver.text(".evenness"), /^Even.* 4\.$/);
  await driver.choose("weights", "ones");
  assert.deepEqual([...new Set(await kernelOf(driver))], [1]);
  await driver.slide("kernel", 1);
  assert.match(await driver.text(".evenness"), /^Gaps.* 0 or 1\.$/);

  // Step by step: after two stamps, the rest is still 0.
  await driver.choose("weights", "numbers");
  await driver.slide("kernel", 3);
  await driver.slide("input", 3);
  await focus(driver, "input");
  await driver.key("Home");
  await driver.press("Step ›");
  const input = (await grid(driver, "input")).rows;
  const kernel = await kernelOf(driver);
  assert.deepEqual((await grid(driver, "stamped")).rows, stamps(input, kernel, 3, 2, 2));
  assert.deepEqual((await grid(driver, "stamp")).rows.flat(), kernel.map((weight) => weight * input[0][1]));
  await driver.press("Play");
  await driver.wait(() => document.querySelector(".halves h3") !== null
    && document.querySelector(".halves").textContent.includes("after 4 of 9 stamps"));
  await driver.press("Pause");
  await driver.point('[data-grid="input"]', 0.9, 0.9);
  assert.ok((await driver.text(".halves")).includes("after 9 of 9 stamps"));

  // In the view of inserted zeros, every weight meets a value or a zero.
  await driver.choose("view", "inserted zeros");
  const counted = await driver.text(".three .reading");
  const [, sum, zeros] = counted.match(/: (.*) = .* (\d+) of 9 weights meet a zero\.$/);
  assert.equal(sum.split("·").length - 1 + Number(zeros), 9, counted);
  await driver.choose("view", "stamps");

  // A weight of one's own goes through all three views; nonsense is answered.
  const type = async (keys) => {
    await driver.evaluate(() => {
      const field = document.querySelector('.weights[aria-label="kernel"] input[data-place="1"]');
      field.focus();
      field.select();
    });
    for (const key of keys) await driver.key(key);
    await driver.evaluate(() => document.activeElement.blur());
  };
  await type(["-", "5"]);
  assert.equal((await kernelOf(driver))[1], -5);
  await compare(driver, { n: 3, k: 3, stride: 2, padding: "VALID" });
  await type(["x"]);
  assert.match(await driver.text(".message p"), /not a number/);
  assert.equal((await kernelOf(driver))[1], -5);

  // In the matrix view, a row of the transpose collects what the output's cell is.
  await focus(driver, "matrix");
  await driver.key("Home");
  await driver.key("ArrowDown");
  await driver.key("ArrowDown");
  const reading = await driver.text(".matrices .reading");
  const y = (await grid(driver, "vector-y")).rows.flat();
  const found = reading.match(
    /^Row 3 collects: .* = (−?[\d.]+)\. Column 1 of Cᵀ is the kernel: times the first input, \d, a stamp\.$/);
  assert.ok(found, reading);
  assert.equal(number(found[1]), y[2]);
  assert.equal(await driver.evaluate(() => document.querySelector(".stage").dataset.chapter), "transposed");
  return { settings: settings.length };
}
