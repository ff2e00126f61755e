import assert from "node:assert/strict";

// The error along the edge of every setting, and the shares of the levels, are computed again with
// loops of our own: a pixel counts if it is within four pixels of one that touches another class.
export async function check(driver) {
  const strides = await driver.evaluate(() =>
    Object.keys(globalThis.explainer.networks.strides).sort((a, b) => b - a),
  );
  await driver.wait(() => document.querySelectorAll(".skips-table [data-wrong]").length > 0);
  const errors = {};
  const shares = {};
  for (const stride of strides) {
    await driver.press(stride, ".stage");
    const result = await compare(driver, stride, []);
    errors[stride] = result.wrong;
    shares[stride] = result.iou;
    await honest(driver, stride);
    const row = await driver.evaluate(
      (name) => Number(document.querySelector(`.skips-table [data-stride="${name}"]`).dataset.wrong),
      stride,
    );
    assert.ok(Math.abs(row - result.wrong) < 1e-3, `table of stride ${stride}`);
  }
  // Networks that are hardly trained (a test's page) teach no lesson.
  const trained = strides.every((stride) => shares[stride] > 0.9);
  if (strides.length === 3 && trained)
    assert.ok(errors[32] > errors[16] && errors[16] >= errors[8], JSON.stringify(errors));

  // Without its skips the finest network is worse near the edge, and its levels still add up.
  const finest = strides.at(-1);
  await driver.press("skip from pool4", ".stage");
  const one = await compare(driver, finest, ["score_pool4"]);
  await driver.press("skip from pool3", ".stage");
  const none = await compare(driver, finest, ["score_pool4", "score_pool3"]);
  assert.ok(!trained || (none.wrong > errors[finest] && one.wrong > errors[finest]));
  const said = await driver.text("#skips-read");
  const better = strides.slice(0, -1).filter((stride) => errors[stride] < none.wrong);
  assert.equal(/now worse than stride/.test(said), better.length > 0, said);
  await neat(driver);
  await driver.press("skip from pool4", ".stage");
  await driver.press("skip from pool3", ".stage");
  const back = await compare(driver, finest, []);
  assert.equal(back.wrong, errors[finest]);

  // A picture without labels shows its result and says that nothing can be counted.
  await driver.evaluate(() => {
    const image = new ImageData(64, 48);
    for (let i = 0; i < image.data.length; i += 1) image.data[i] = i % 4 === 3 ? 255 : (i * 13) % 256;
    globalThis.explainer.add({ id: "own-noise", title: "noise", source: "yours", image, labels: null });
  });
  await driver.wait(
    () =>
      document.querySelector("#skips-picture").width === 64 &&
      document.querySelector("#skips-read").dataset.wrong === "",
  );
  assert.match(await driver.text(".skips-legend"), /no labels/);
  await neat(driver);

  // It offers one that has labels.
  await driver.press("Show a labelled picture", ".skips-legend");
  await driver.wait(() => Number(document.querySelector("#skips-read").dataset.wrong) > 0);
  assert.match(await driver.text(".skips-legend"), /missed/);

  // Leaving and coming back keeps no tensors.
  const counts = [];
  for (let i = 0; i < 2; i += 1) {
    await driver.evaluate(() => {
      location.hash = "pixel";
    });
    await driver.wait(() => document.querySelector(".pixel-bars [data-class]") !== null);
    counts.push(
      await driver.evaluate(async () => (await globalThis.explainer.network()).tf.memory().numTensors),
    );
    await driver.evaluate(() => {
      location.hash = "skips";
    });
    await driver.wait(() => document.querySelector("#skips-read")?.dataset.stride !== undefined);
  }
  assert.equal(counts[0], counts[1]);
  return { errors, sum: back.sum };
}

// A skip that the network lacks is shown as off, and its map as an empty frame.
async function honest(driver, stride) {
  await neat(driver);
  const found = await driver.evaluate((name) => {
    const page = globalThis.explainer;
    const model = page.contents.graph.models[page.networks.strides[name]];
    return ["pool4", "pool3"].map((pool) => {
      const input = [...document.querySelectorAll(".toggle")]
        .find((node) => node.textContent.includes(pool))
        .querySelector("input");
      const canvas = document.querySelector(`[data-share="score_${pool}"]`);
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      const drawn = data[3] > 0;
      return { has: `score_${pool}` in model, on: input.checked, may: !input.disabled, drawn };
    });
  }, stride);
  for (const { has, on, may, drawn } of found) assert.deepEqual([on, may, drawn], [has, has, has]);
}

// Nothing scrolls or sticks out, whatever is said.
async function neat(driver) {
  const found = await driver.evaluate(() => [
    ...[".stage", "main"].map((name) => {
      const node = document.querySelector(name);
      return Math.max(node.scrollHeight - node.clientHeight, node.scrollWidth - node.clientWidth);
    }),
    [...document.querySelectorAll(".skips-table span")].filter((node) => node.scrollWidth > node.clientWidth)
      .length,
  ]);
  assert.deepEqual(found, [0, 0, 0]);
}

async function compare(driver, stride, off) {
  await driver.wait(
    ([name, without]) => {
      const { dataset } = document.querySelector("#skips-read");
      return dataset.stride === name && dataset.off === without;
    },
    [stride, off.join()],
  );
  const own = await driver.evaluate(
    async ([name, without]) => {
      const page = globalThis.explainer;
      const network = await page.network();
      const { tf } = network;
      const { image, labels } = await page.picture();
      const { width, height } = image;
      const model = page.networks.strides[name];
      const levels = ["score_fr", "score_pool4", "score_pool3"].filter(
        (layer) => layer in network.models[model],
      );
      const rgb = Float32Array.from(
        { length: 3 * width * height },
        (_, i) => image.data[4 * Math.floor(i / 3) + (i % 3)],
      );
      // The network, with some levels replaced by zeros.
      const known = { image: tf.tensor(rgb, [1, height, width, 3]) };
      Object.assign(known, network.run(model, levels, known));
      const logits = (zero) => {
        const given = { ...known };
        const zeros = zero.map((layer) => {
          const { shape } = known[layer];
          given[layer] = tf.tensor(new Float32Array(shape.reduce((a, b) => a * b, 1)), shape);
          return given[layer];
        });
        const { output } = network.run(model, ["output"], given);
        const data = output.dataSync();
        [output, ...zeros].forEach((tensor) => tensor.dispose());
        return data;
      };
      const now = logits(without);
      const lead = (data) =>
        Float32Array.from({ length: width * height }, (_, i) => data[2 * i + 1] - data[2 * i]);
      const alone = Object.fromEntries(
        levels.map((layer) => [layer, lead(logits(levels.filter((each) => each !== layer)))]),
      );
      const whole = lead(logits([]));
      Object.values(known).forEach((tensor) => tensor.dispose());
      let most = 0;
      let apart = 0;
      let top = 0;
      for (let i = 0; i < whole.length; i += 1) {
        const sum = levels.reduce((all, layer) => all + alone[layer][i], 0);
        apart = Math.max(apart, Math.abs(sum - whole[i]));
        most = Math.max(most, Math.abs(whole[i]));
        top = Math.max(top, Math.abs(whole[i]), ...levels.map((layer) => Math.abs(alone[layer][i])));
      }

      // Colours of the drawn shares, at some places.
      const limit = Number(document.querySelector(".skips-shares").dataset.limit);
      const colour = (value) =>
        (value < 0 ? [118, 42, 131] : [0, 125, 60]).map(
          (end) => 250 + (end - 250) * Math.min(1, Math.abs(value) / limit),
        );
      let drawn = 0;
      const now2 = lead(now);
      for (const id of [...levels, "sum"]) {
        const canvas = document.querySelector(`[data-share="${id}"]`);
        const pixels = canvas.getContext("2d").getImageData(0, 0, width, height).data;
        for (let i = 0; i < whole.length; i += 997) {
          const value = id === "sum" ? now2[i] : without.includes(id) ? 0 : alone[id][i];
          colour(value).forEach((wanted, c) => {
            drawn = Math.max(drawn, Math.abs(pixels[4 * i + c] - wanted));
          });
        }
      }

      // The band and the error in it.
      const touches = (x, y) =>
        [
          [1, 0],
          [-1, 0],
          [0, 1],
          [0, -1],
        ].some(([a, b]) => {
          const [u, v] = [x + a, y + b];
          return (
            u >= 0 && v >= 0 && u < width && v < height && labels[v * width + u] !== labels[y * width + x]
          );
        });
      const edges = Array.from({ length: width * height }, (_, i) =>
        touches(i % width, Math.floor(i / width)),
      );
      let [wrong, all, both, either] = [0, 0, 0, 0];
      for (let y = 0; y < height; y += 1) {
        for (let x = 0; x < width; x += 1) {
          const i = y * width + x;
          const found = now[2 * i + 1] > now[2 * i] ? 1 : 0;
          if (found && labels[i]) both += 1;
          if (found || labels[i]) either += 1;
          let near = false;
          for (let b = -3; b <= 3 && !near; b += 1) {
            for (let a = -3; a <= 3 && !near; a += 1) {
              near =
                x + a >= 0 && x + a < width && y + b >= 0 && y + b < height && edges[(y + b) * width + x + a];
            }
          }
          if (near) {
            all += 1;
            if (found !== labels[i]) wrong += 1;
          }
        }
      }
      const { dataset } = document.querySelector("#skips-read");
      return {
        wrong: wrong / all,
        iou: both / either,
        apart: apart / most,
        limit: limit / top,
        drawn,
        shown: { wrong: Number(dataset.wrong), iou: Number(dataset.iou) },
        said: document.querySelector("#skips-read").textContent,
      };
    },
    [stride, off],
  );
  assert.ok(Math.abs(own.shown.wrong - own.wrong) < 1e-3, `near the edge ${JSON.stringify(own)}`);
  assert.ok(Math.abs(own.shown.iou - own.iou) < 1e-3, `IoU ${JSON.stringify(own)}`);
  assert.ok(own.said.includes(`${(100 * own.shown.wrong).toFixed(1)} %`), own.said);
  assert.ok(own.apart <= 1e-4, `the shares of stride ${stride} add up to ${own.apart} of the largest`);
  assert.ok(Math.abs(own.limit - 1) < 1e-3, `one scale for all: ${own.limit}`);
  assert.ok(own.drawn <= 2, `colours of stride ${stride} without ${off}: ${own.drawn}`);
  return { wrong: own.shown.wrong, iou: own.iou, sum: own.apart };
}
