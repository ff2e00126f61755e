import assert from "node:assert/strict";

// Every checkpoint's IoU is that of the whole network, run from the picture and counted here; scrubbing
// moves the marker to the step's loss; the encoder runs once for a picture, however often one scrubs.
export async function check(driver) {
  const checkpoints = await driver.evaluate(() => globalThis.explainer.networks.checkpoints);
  await ready(driver, checkpoints.length);
  const truth = [];
  for (const { model } of checkpoints) truth.push(await whole(driver, model));

  await driver.evaluate(async () => {
    // what the network is asked from here on
    const network = await globalThis.explainer.network();
    const run = network.run.bind(network);
    globalThis.asked = [];
    network.run = (model, wanted, given, weight) => {
      globalThis.asked.push({ model, given: Object.keys(given).length });
      return run(model, wanted, given, weight);
    };
  });
  const loss = await driver.evaluate(() => globalThis.explainer.contents.loss);
  for (let i = checkpoints.length - 1; i >= 0; i -= 1) {
    await driver.slide("Checkpoint", i);
    await shown(driver, checkpoints[i].step);
    const state = await look(driver);
    assert.ok(
      Math.abs(state.iou - truth[i].iou) < 1e-4,
      `step ${checkpoints[i].step}: ${state.iou}, ${truth[i].iou}`,
    );
    assert.ok(state.said.includes(`${(100 * truth[i].iou).toFixed(1)} %`), state.said);
    assert.equal(state.loss, loss[Math.min(checkpoints[i].step, loss.length - 1)]);
    assert.deepEqual(state.pressed, [String(checkpoints[i].step)]);
    assert.ok(
      state.greens > 0.95 * truth[i].found && state.greens < 1.05 * truth[i].found + 5,
      `${state.greens} of ${truth[i].found}`,
    );
  }
  assert.deepEqual(await driver.evaluate(() => globalThis.asked), [], "scrubbing computes nothing twice");
  // Networks that are hardly trained (a test's page) teach no lesson.
  if (truth.at(-1).iou > 0.9) assert.ok(truth.at(-1).iou > truth[0].iou + 0.2, JSON.stringify(truth));
  const below = await driver.evaluate(() =>
    [...document.querySelectorAll(".training-strip .read")].map((node) => node.textContent),
  );
  assert.deepEqual(below, truth.map(({ iou }) => `IoU ${(100 * iou).toFixed(0)} %`));

  // What the head computes from the features is what the whole network computes.
  const apart = await driver.evaluate(async () => {
    const page = globalThis.explainer;
    const network = await page.network();
    const given = { image: tensorOf(network.tf, (await page.picture()).image) };
    const found = [];
    const first = page.networks.checkpoints[0].model; // its encoder serves the other checkpoints
    const read = network.run(
      first,
      network.border(first).features.filter((name) => name !== "image"),
      given,
    );
    for (const { model } of page.networks.checkpoints) {
      const { output } = network.run(model, ["output"], { ...given, ...read });
      const [a, b] = [output.dataSync(), globalThis.wholes[model]];
      let [most, top] = [0, 0];
      for (let i = 0; i < a.length; i += 1) {
        most = Math.max(most, Math.abs(a[i] - b[i]));
        top = Math.max(top, Math.abs(b[i]));
      }
      found.push(most / top);
      output.dispose();
    }
    [given.image, ...Object.values(read)].forEach((tensor) => tensor.dispose());
    return found;

    function tensorOf(tf, image) {
      const rgb = Float32Array.from(
        { length: 3 * image.width * image.height },
        (_, i) => image.data[4 * Math.floor(i / 3) + (i % 3)],
      );
      return tf.tensor(rgb, [1, image.height, image.width, 3]);
    }
  });
  assert.ok(Math.max(...apart) <= 1e-4, `head and whole network: ${apart}`);

  // Dragging along the curve goes through the checkpoints, and ends at the last.
  await driver.drag(".training-curve svg", [
    [0.08, 0.5],
    [0.5, 0.4],
    [0.985, 0.5],
  ]);
  await shown(driver, checkpoints.at(-1).step);
  assert.equal(
    await driver.evaluate(() => document.querySelector(".stage .slider input").value),
    String(checkpoints.length - 1),
  );
  const place = await driver.evaluate(() => Number(document.querySelector(".training-curve").dataset.place));
  assert.ok(place > 0.95, `the marker of the last step at ${place}`);

  // Keys move the slider; the page does not turn.
  await driver.evaluate(() => document.querySelector(".stage .slider input").focus());
  await driver.key("ArrowLeft");
  await shown(driver, checkpoints.at(-2).step);
  assert.equal(await driver.evaluate(() => location.hash), "#training");

  // Another picture: the encoder once, every head once.
  await driver.evaluate(() => {
    globalThis.asked.length = 0;
    const image = new ImageData(96, 64);
    for (let i = 0; i < image.data.length; i += 1) image.data[i] = i % 4 === 3 ? 255 : (i * 13) % 256;
    globalThis.explainer.add({ id: "own-noise", title: "noise", source: "yours", image, labels: null });
  });
  await driver.wait(() => document.querySelector("#training-read").dataset.ready === "own-noise");
  await ready(driver, checkpoints.length);
  const asked = await driver.evaluate(() => globalThis.asked);
  assert.equal(asked.filter(({ given }) => given === 1).length, 1, JSON.stringify(asked));
  assert.equal(asked.length, 1 + checkpoints.length, JSON.stringify(asked));
  assert.match(await driver.text("#training-read"), /no labels/);
  return { iou: truth.map(({ iou }) => Number(iou.toFixed(4))), apart: Math.max(...apart) };
}

const ready = (driver, count) =>
  driver.wait((all) => document.querySelectorAll(".training-strip [data-iou]").length === all, count);

const shown = (driver, step) =>
  driver.wait((wanted) => {
    const { dataset } = document.querySelector("#training-read");
    return dataset.step === String(wanted) && dataset.ready !== "";
  }, step);

const look = (driver) =>
  driver.evaluate(async () => {
    const canvas = document.querySelector("#training-picture");
    const { image } = await globalThis.explainer.picture();
    const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    let greens = 0; // pixels that were painted over
    for (let i = 0; i < pixels.length; i += 4) {
      if (
        Math.abs(pixels[i] - image.data[i] / 2) <= 2 &&
        Math.abs(pixels[i + 1] - (image.data[i + 1] + 255) / 2) <= 2 &&
        (pixels[i] !== image.data[i] || pixels[i + 1] !== image.data[i + 1])
      )
        greens += 1;
    }
    return {
      iou: Number(document.querySelector("#training-read").dataset.iou),
      said: document.querySelector("#training-read").textContent,
      loss: Number(document.querySelector(".training-curve").dataset.loss),
      pressed: [...document.querySelectorAll(".training-strip [aria-pressed=true]")].map(
        (node) => node.dataset.step,
      ),
      greens,
    };
  });

const whole = (driver, model) =>
  driver.evaluate(async (name) => {
    const page = globalThis.explainer;
    const network = await page.network();
    const { image, labels } = await page.picture();
    const rgb = Float32Array.from(
      { length: 3 * image.width * image.height },
      (_, i) => image.data[4 * Math.floor(i / 3) + (i % 3)],
    );
    const given = network.tf.tensor(rgb, [1, image.height, image.width, 3]);
    const { output } = network.run(name, ["output"], { image: given });
    const data = output.dataSync();
    (globalThis.wholes ??= {})[name] = data;
    given.dispose();
    output.dispose();
    let [both, either, found] = [0, 0, 0];
    for (let i = 0; i < labels.length; i += 1) {
      const road = data[2 * i + 1] > data[2 * i];
      if (road) found += 1;
      if (road && labels[i] === 1) both += 1;
      if (road || labels[i] === 1) either += 1;
    }
    return { iou: both / either, found };
  }, model);
