import assert from "node:assert/strict";

// The cells of a grid: { rows, columns, text: [[…]], kind: [[…]] }.
const grid = (driver, name) => driver.evaluate((which) => {
  const text = [];
  const kind = [];
  for (const cell of document.querySelectorAll(`[data-grid="${which}"] g.cell`)) {
    const { row, column } = cell.dataset;
    (text[row] ??= [])[column] = cell.querySelector("text")?.textContent ?? "";
    (kind[row] ??= [])[column] = cell.classList.contains("padding") ? "padding" : "";
  }
  return { text, kind };
}, name);
const number = (text) => Number(text.replace("−", "-"));
const kernelOf = (driver, channel) => driver.evaluate((c) =>
  [...document.querySelectorAll(`.weights[aria-label="kernel, channel ${c}"] input`)].map((input) =>
    Number(input.value.replace("−", "-"))), channel);

// Keras' rules, in loops that know nothing of the page.
function expected(maps, kernels, k, stride, padding, bias) {
  const n = maps[0].length;
  const size = padding === "SAME" ? Math.ceil(n / stride) : Math.max(0, Math.ceil((n - k + 1) / stride));
  const total = padding === "SAME" ? Math.max(0, (size - 1) * stride + k - n) : 0;
  const before = Math.floor(total / 2);
  const out = [];
  for (let i = 0; i < size; i += 1) {
    out.push([]);
    for (let j = 0; j < size; j += 1) {
      let sum = bias;
      for (let c = 0; c < maps.length; c += 1) {
        for (let y = 0; y < k; y += 1) {
          for (let x = 0; x < k; x += 1) {
            sum += kernels[c][k * y + x] * (maps[c][i * stride + y - before]?.[j * stride + x - before] ?? 0);
          }
        }
      }
      out[i].push(sum);
    }
  }
  return { out, before, after: total - before };
}

// Many settings, one after the other, and what is seen in each: all in one visit of the page.
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
  const cells = (name) => {
    const text = [];
    const kind = [];
    for (const cell of document.querySelectorAll(`[data-grid="${name}"] g.cell`)) {
      const { row, column } = cell.dataset;
      (text[row] ??= [])[column] = cell.querySelector("text")?.textContent ?? "";
      (kind[row] ??= [])[column] = cell.classList.contains("padding") ? "padding" : "";
    }
    return { text, kind };
  };
  const controls = {
    padding: set, stride: set, channels: set,
    n: (_, value) => slide("input size", value), k: (_, value) => slide("kernel", value),
  };
  const now = {};
  return wanted.map((setting) => {
    for (const [name, value] of Object.entries(setting)) {
      if (now[name] !== value) controls[name](name, value);
      now[name] = value;
    }
    const columns = [...document.querySelectorAll(".channel")].filter((node) => !node.hidden);
    const stage = document.querySelector(".stage");
    const long = document.querySelector(".long");
    return {
      inputs: columns.map((_, c) => cells(`input-${c + 1}`)),
      kernels: columns.map((node) => [...node.querySelectorAll(".weights input")].map(({ value }) =>
        Number(value.replace("−", "-")))),
      output: cells("output").text,
      formula: document.querySelector(".formula").textContent,
      words: document.querySelector(".setting").textContent,
      tooHigh: stage.scrollHeight - stage.clientHeight,
      // The written-out sum has the stage's whole width.
      narrow: long.textContent !== ""
        && long.clientWidth < 0.9 * document.querySelector(".numbers").clientWidth,
    };
  });
}, settings);

// One setting that is seen, by Keras' rules.
function verify({ inputs, kernels, output, formula, words, tooHigh, narrow }, setting) {
  const { n, k, stride, padding, channels, bias = 0 } = setting;
  const where = JSON.stringify(setting);
  assert.equal(inputs.length, channels, where);
  const maps = inputs.map(({ text, kind }) =>
    text.map((row, i) => row.filter((_, j) => kind[i][j] === "").map(number)).filter((row) => row.length));
  for (const rows of maps) assert.equal(rows.length, n, where);
  for (const kernel of kernels) assert.equal(kernel.length, k * k, where);
  const { out, before, after } = expected(maps, kernels, k, stride, padding, bias);
  assert.equal(output.length, out.length, where);
  output.forEach((row, i) => row.forEach((cell, j) => {
    const wrong = `${where}: ${i}, ${j} is ${cell}, not ${out[i][j]}`;
    assert.ok(Math.abs(number(cell) - out[i][j]) <= 0.0501, wrong);
  }));
  for (const { kind } of inputs) { // what SAME pads is shown: less at the start
    assert.equal(kind.length, n + before + after, where);
    assert.equal(kind[before]?.filter((cell) => cell).length, before + after, where);
    assert.equal(kind[before].findIndex((cell) => cell === ""), before, where);
  }
  const whole = `⌊(${n} + ${before + after} − ${k}) / ${stride}⌋ + 1 = ${out.length}`;
  assert.ok(formula.includes(out.length ? whole : "no window fits"), formula);
  assert.ok(!out.length || formula.includes("rounded down"), formula);
  // Padding and stride are explained, with the numbers that hold here.
  assert.ok(words.startsWith(`${padding}: `), words);
  assert.match(words, new RegExp(`Stride ${stride}: the window moves ${stride} cells? at a time\\.`));
  if (before + after) assert.ok(words.includes(`${before} before and ${after} after`), words);
  assert.ok(tooHigh <= 0, `${where}: the stage scrolls by ${tooHigh} pixels`);
  assert.ok(!narrow, where);
  return out;
}

const compare = async (driver, setting) => verify((await seen(driver, [{}]))[0], setting);

const typed = async (driver, selector, keys) => {
  await driver.evaluate((place) => {
    const input = document.querySelector(place);
    input.focus();
    input.select();
  }, selector);
  for (const key of keys) await driver.key(key);
};

export async function check(driver) {
  await driver.wait(() => document.querySelectorAll('[data-grid="output"] g.cell').length > 0);
  // All kernels, strides and paddings, on inputs of every remainder, and smaller than the kernel.
  const settings = [];
  for (const padding of ["VALID", "SAME"]) {
    for (const stride of [1, 2, 3]) {
      for (const n of [3, 6, 7]) {
        for (const k of n === 3 ? [3, 4, 5] : [1, 2, 3, 4, 5]) {
          settings.push({ padding, stride, channels: 1 + (settings.length % 3), n, k });
        }
      }
    }
  }
  (await seen(driver, settings)).forEach((one, i) => verify(one, settings[i]));

  // Presets, a bias, weights of one's own; the sum that is written out is the cell's value.
  await driver.choose("channels", 3);
  await driver.choose("stride", 1);
  await driver.slide("input size", 7);
  await driver.slide("kernel", 3);
  for (const kind of ["blur", "sharpen", "1 × 1", "vertical edge"]) {
    await driver.choose("kind of kernel", kind);
    await compare(driver, { n: 7, k: kind === "1 × 1" ? 1 : 3, stride: 1, padding: "SAME", channels: 3 });
  }
  await typed(driver, ".bias input", ["2", ".", "5"]);
  const field = '.weights[aria-label="kernel, channel 2"] input[data-place="4"]';
  await typed(driver, field, ["-", "3"]);
  const out = await compare(driver, { n: 7, k: 3, stride: 1, padding: "SAME", channels: 3, bias: 2.5 });
  assert.equal((await kernelOf(driver, 2))[4], -3);
  await driver.evaluate(() => document.querySelector('[data-grid="output"]').focus());
  await driver.key("Home");
  await driver.key("ArrowDown");
  await driver.key("ArrowDown");
  await driver.key("ArrowRight");
  const total = await driver.text(".sum");
  assert.ok(total.startsWith("row 3, column 2:"), total);
  assert.ok(Math.abs(number(total.split("= ")[1]) - out[2][1]) < 1e-3, total);
  const long = await driver.text(".long");
  const terms = long.split(" = ")[0].replaceAll("−", "-").replaceAll(/[()]/g, "").split(/\s*\+\s*/);
  const product = (term) => term.split("·").reduce((all, factor) => all * Number(factor), 1);
  const sum = terms.reduce((all, term) => all + product(term), 0);
  assert.equal(terms.length, 28);
  assert.ok(Math.abs(sum - out[2][1]) < 1e-9, long);
  for (let c = 1; c <= 3; c += 1) { // the products, and their sum
    const products = (await grid(driver, `products-${c}`)).text.flat().map(number).reduce((a, b) => a + b, 0);
    assert.equal(products, number((await driver.text(`[data-sum="${c}"]`)).split(": ")[1]));
  }
  assert.equal(await driver.evaluate(() => document.querySelector(".stage").dataset.chapter), "convolution");

  // A click chooses a cell.
  await driver.point('[data-grid="output"]', 0.95, 0.95);
  assert.ok((await driver.text(".sum")).startsWith("row 7, column 7:"));

  // What is not a number is answered in a sentence; the weight before it stays.
  const silent = () => driver.evaluate(() => !document.querySelector(".stage").textContent.includes("NaN"));
  for (const [text, answer] of [["abc", "not a number"], ["999", "between"], ["1/0", "not a number"]]) {
    const keys = [...text];
    await typed(driver, field, keys);
    assert.ok((await driver.text(".message p")).includes(answer), await driver.text(".message p"));
    assert.ok(await silent());
    await driver.evaluate(() => document.activeElement.blur());
    const [weight, shown] = [(await kernelOf(driver, 2))[4], await driver.text(".message p")];
    assert.ok(Number.isFinite(weight) && Math.abs(weight) <= 99);
    assert.ok(shown.includes(answer));
  }
  await typed(driver, field, ["1", "/", "4"]);
  await driver.evaluate(() => document.activeElement.blur());
  assert.equal((await kernelOf(driver, 2))[4], 0.25);
  assert.equal(await driver.text(".message p"), "");
  await compare(driver, { n: 7, k: 3, stride: 1, padding: "SAME", channels: 3, bias: 2.5 });

  // Step and Play.
  await driver.evaluate(() => document.querySelector('[data-grid="output"]').focus());
  await driver.key("Home");
  await driver.press("Step ›");
  assert.ok((await driver.text(".sum")).startsWith("row 1, column 2:"));
  await driver.press("Play");
  await driver.wait(() => document.querySelector(".sum").textContent.startsWith("row 1, column 4:"));
  await driver.press("Pause");

  // On a picture: the same kernel, all of its values.
  await driver.choose("kind of kernel", "sharpen");
  await driver.choose("input", "a picture");
  await driver.choose("stride", 2);
  const facts = await onPicture(driver);
  await driver.choose("input", "numbers");
  await driver.wait(() => document.querySelectorAll('[data-grid="output"] g.cell').length === 16);
  return { settings: settings.length, ...facts };
}

async function onPicture(driver) {
  const { height, width } = await driver.evaluate(async () => {
    const { image } = await globalThis.explainer.picture();
    return { height: image.height, width: image.width };
  });
  const [rows, columns] = [Math.ceil(height / 2), Math.ceil(width / 2)];
  await driver.wait((size) => document.querySelector('[data-map="result"]')?.dataset.size === size,
    `${rows} × ${columns}`);
  const { pixels, result } = await driver.evaluate(async () => {
    const canvas = document.querySelector('[data-map="result"]');
    const { image } = await globalThis.explainer.picture();
    return {
      pixels: [...image.data],
      result: [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data],
    };
  });
  const before = (n, size) => Math.floor(Math.max(0, (size - 1) * 2 + 3 - n) / 2);
  const grey = (y, x) => (y < 0 || x < 0 || y >= height || x >= width ? 0
    : [0, 1, 2].reduce((sum, c) => sum + pixels[4 * (y * width + x) + c], 0) / 3); // white: 3 · 255
  let worst = 0;
  for (let i = 0; i < rows; i += 1) {
    for (let j = 0; j < columns; j += 1) {
      const [y, x] = [2 * i + 1 - before(height, rows), 2 * j + 1 - before(width, columns)];
      const value = 5 * grey(y, x) - grey(y - 1, x) - grey(y + 1, x) - grey(y, x - 1) - grey(y, x + 1);
      const shown = result[4 * (i * columns + j)];
      worst = Math.max(worst, Math.abs(shown - Math.min(255, Math.max(0, value))));
    }
  }
  assert.ok(worst <= 0.51, `a pixel of the result differs by ${worst}`);
  const captions = await driver.evaluate(() =>
    [...document.querySelectorAll(".pictures figcaption")].map(({ textContent }) => textContent));
  assert.ok(captions[0].startsWith(`input: ${height} × ${width} × 3`), captions[0]);
  assert.ok(captions[1].startsWith(`output: ${rows} × ${columns} × 1 (black: 0, white: 765`), captions[1]);
  return { picture: rows * columns };
}
