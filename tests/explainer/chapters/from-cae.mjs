import assert from "node:assert/strict";

const number = (value) => value.toLocaleString("en-US");
const loss = (driver) => driver.evaluate(() => document.getElementById("loss").dataset.value);
const channels = (driver) => driver.evaluate(() =>
  [...document.querySelectorAll(".hourglass .channels")].map((node) => Number(node.textContent)));
const settled = (driver) => driver.wait(() =>
  document.getElementById("from-input").width > 1 && !document.querySelector("#from-output.busy"));
const caption = (driver, panel) => driver.text(`[data-panel="${panel}"] figcaption`);
const hasTarget = (driver) => driver.evaluate(() => document.getElementById("from-target").checkVisibility());
const computed = (driver) => driver.wait(() => document.getElementById("loss").dataset.value !== "");

// The weights of the autoencoder, counted in its graph: [of the last layer, of all others].
const counted = (driver) => driver.evaluate(() => {
  const { graph, networks } = globalThis.explainer.contents;
  const all = new Set(); // the last layer's own name may stand for what follows it
  const visit = (n) => { if (!all.has(n)) { all.add(n); graph.operations[n].inputs.forEach(visit); } };
  Object.values(graph.models[networks.cae]).forEach(visit);
  const sizes = [...all].sort((a, b) => a - b).filter((n) => graph.operations[n].weights)
    .map((n) => graph.operations[n].weights.reduce((sum, w) => sum + graph.weights[w].shape.reduce((a, b) => a * b, 1), 0));
  const last = sizes.pop();
  return [last, sizes.reduce((a, b) => a + b, 0), sizes.length];
});

const mse = (driver) => driver.evaluate(() => {
  const [a, b] = ["from-target", "from-output"].map((id) => {
    const canvas = document.getElementById(id);
    return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  });
  let sum = 0;
  for (let i = 0; i < a.length; i += 1) if (i % 4 < 3) sum += (a[i] - b[i]) ** 2;
  return sum / (0.75 * a.length);
});

// The canvas holds whole numbers, which moves the mean by a little, the more the larger it is.
async function squaredAgrees(driver) {
  const [seen, told] = [await mse(driver), Number(await loss(driver))];
  assert.ok(Math.abs(seen - told) < 1 + 0.01 * told, `${told} is not ${seen}`);
}

// Cross-entropy and labels straight from the network, and how many pixels on the screen differ.
const fromNetwork = (driver) => driver.evaluate(async () => {
  const { explainer } = globalThis;
  const network = await explainer.network();
  const { image, labels } = await explainer.picture();
  const rgb = [...image.data].filter((_, i) => i % 4 < 3);
  const x = network.tf.tensor(rgb, [1, image.height, image.width, 3]);
  const { output } = network.run(explainer.networks.result, ["output"], { image: x });
  const classes = output.shape[3];
  const scores = output.dataSync();
  const pixels = (id) => {
    const canvas = document.getElementById(id);
    return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  };
  const [found, wanted] = [pixels("from-output"), pixels("from-target")];
  const isRoad = (data, i) => data[4 * i] === 0 && data[4 * i + 1] === 255 && data[4 * i + 2] === 0;
  let [sum, known, foundWrong, wantedWrong] = [0, 0, 0, 0];
  for (let i = 0; i < labels.length; i += 1) {
    const own = [...scores.slice(i * classes, (i + 1) * classes)];
    if (isRoad(found, i) !== (own.indexOf(Math.max(...own)) === 1)) foundWrong += 1;
    if (isRoad(wanted, i) !== (labels[i] === 1)) wantedWrong += 1;
    if (labels[i] === 255) continue;
    known += 1;
    sum -= Math.log(Math.exp(own[labels[i]]) / own.reduce((total, score) => total + Math.exp(score), 0));
  }
  return { loss: sum / known, foundWrong, wantedWrong };
});

// Three changes, step by step; at both ends the output and the loss are those of the real networks.
export async function check(driver) {
  await settled(driver);
  await computed(driver);
  const [last, others, layers] = await counted(driver);
  assert.equal(layers, 5);
  assert.deepEqual(await channels(driver), [3, 16, 32, 64, 32, 16, 3]);
  assert.ok((await driver.text("#stays")).includes(number(others)));
  assert.ok((await driver.text("#changes")).includes(`${number(last)} weights`));
  assert.match(await driver.text("#loss"), /mean squared error \d/);
  await squaredAgrees(driver);
  const before = Number(await loss(driver));

  await driver.press("Next change");
  await settled(driver);
  const classes = await driver.evaluate(() => globalThis.explainer.classes.length);
  assert.deepEqual(await channels(driver), [3, 16, 32, 64, 32, 16, classes]);
  assert.equal(await driver.text("#changes"), `${number(last)} → ${number(16 * 16 * classes + classes)} weights`);
  assert.match(await driver.text("#loss"), /mean squared error, does not fit/);
  assert.match(await caption(driver, "target"), /the input itself/);
  assert.match(await caption(driver, "output"), new RegExp(`× ${classes}, untrained`));

  await driver.press("Next change");
  await settled(driver);
  assert.match(await driver.text("#loss"), /mean squared error, does not fit/);
  assert.match(await caption(driver, "target"), /background or road/);

  await driver.press("Next change");
  await computed(driver);
  await settled(driver);
  assert.match(await driver.text("#loss"), /cross-entropy \d/);
  assert.ok((await driver.text("#says")).includes(`${Math.log(classes).toFixed(2)} (ln ${classes}) is guessing`));
  assert.match(await caption(driver, "output"), /from another, (larger|smaller) network/);
  assert.ok(await hasTarget(driver));
  const facts = await fromNetwork(driver);
  assert.equal(facts.foundWrong, 0);
  assert.equal(facts.wantedWrong, 0);
  assert.ok(Math.abs(facts.loss - Number(await loss(driver))) < 1e-3 * (1 + facts.loss), `${await loss(driver)} is not ${facts.loss}`);
  assert.equal(await driver.evaluate(() => [...document.querySelectorAll("button")].find((node) => node.textContent === "Next change").disabled), true);

  // A picture without labels has no target and no loss; back at the autoencoder it is its own target.
  const drawn = '<svg xmlns="http://www.w3.org/2000/svg" width="61" height="47"><rect width="61" height="47" fill="#385"/><rect x="9" y="9" width="20" height="20" fill="#fd2"/></svg>';
  await driver.give('.picker input[type="file"]', "odd.svg", "image/svg+xml", Buffer.from(drawn).toString("base64"));
  await driver.wait(() => document.getElementById("from-output").width === 61);
  await settled(driver);
  assert.match(await driver.text(".no-target"), /nobody has labelled/);
  assert.ok(!(await hasTarget(driver)));
  assert.equal(await loss(driver), "");
  assert.match(await driver.text("#loss"), /needs a target/);

  // Labels of other classes than the output's are no target either.
  await driver.press("cat", ".picker");
  await driver.wait(() => document.getElementById("from-output").width > 61);
  await settled(driver);
  assert.match(await driver.text(".no-target"), /labels are background and cat, the output’s classes are background and road/);
  assert.ok(!(await hasTarget(driver)));
  assert.equal(await loss(driver), "");
  await driver.press("2 New target");
  await settled(driver);
  assert.ok(!(await hasTarget(driver)));
  await driver.press("Autoencoder");
  await computed(driver);
  await settled(driver);
  await squaredAgrees(driver);
  assert.deepEqual(await channels(driver), [3, 16, 32, 64, 32, 16, 3]);
  return { squared: before, crossEntropy: facts.loss };
}
