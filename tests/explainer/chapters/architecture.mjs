import assert from "node:assert/strict";
import { stagesOf } from "../../../fcn_keras/explainer/web/src/ui/stages.js";

// The stages' sizes are those of the maps that the network computes, the weights of all stages are
// those of the network, and the shown channels are its strongest. Other networks have stages, too.
export async function check(driver) {
  otherNetworks();
  await driver.wait(() => document.querySelectorAll(".maps [data-channel]").length > 0);
  const names = await driver.evaluate(() =>
    [...document.querySelectorAll("[data-stage][role=radio]")].map((node) => node.dataset.stage),
  );
  const total = await driver.evaluate(() =>
    globalThis.explainer.contents.layers.reduce((sum, { parameters }) => sum + parameters, 0),
  );
  assert.ok(names.length >= 8 && names.length <= 20, names.join());

  // With the arrow keys from the first stage to the last; the page does not turn.
  await driver.evaluate(() =>
    document.querySelector("[data-stage][role=radio]").dispatchEvent(new MouseEvent("click")),
  );
  await driver.evaluate(() => document.querySelector("[data-stage][role=radio]").focus());
  const facts = [];
  for (let i = 0; i < names.length; i += 1) {
    if (i) await driver.key("ArrowDown");
    await driver.wait((name) => document.querySelector(".panel").dataset.stage === name, names[i]);
    facts.push(await driver.evaluate(() => ({ ...document.querySelector(".panel").dataset })));
    if (i === names.length - 1 || /fuse/.test(names[i])) await mapped(driver, names[i]);
    assert.equal(await overflow(driver), 0, names[i]);
  }
  assert.equal(await driver.evaluate(() => location.hash), "#architecture");
  assert.equal(
    facts.reduce((sum, { weights }) => sum + Number(weights), 0),
    total,
  );
  assert.deepEqual(
    facts.map(({ size }) => size),
    await computed(driver, names),
  );

  // The funnel: bars are as long as maps are high, and thicker with more channels.
  const bars = await driver.evaluate(() =>
    [...document.querySelectorAll("[data-stage] .bar")].map((bar) => [
      Number(bar.getAttribute("width")),
      Number(bar.getAttribute("height")),
    ]),
  );
  const sizes = facts.map(({ size }) => size.split(",").map(Number));
  for (let i = 1; i < bars.length; i += 1) {
    for (const [k, of] of [
      [0, 0],
      [1, 2],
    ]) {
      assert.equal(
        Math.sign(Math.round(100 * (bars[i][k] - bars[i - 1][k]))),
        Math.sign(sizes[i][of] - sizes[i - 1][of]),
        `bar of ${names[i]}`,
      );
    }
  }

  // The words beside the stages: what grows says by how much, what ends in classes says so.
  const roles = await driver.evaluate(() =>
    [...document.querySelectorAll("[data-stage][role=radio]")].map(
      (node) => node.querySelector(".role")?.textContent ?? "",
    ),
  );
  const classes = await driver.evaluate(() => globalThis.explainer.classes.length);
  roles.forEach((role, i) => {
    const grown = i ? sizes[i][0] / sizes[i - 1][0] : 1;
    assert.equal(Number(role.match(/^(\d+) × as large/)?.[1] ?? 1), Math.max(1, grown), `${names[i]}: ${role}`);
    if (/per class|scores/.test(role)) assert.equal(sizes[i][2], classes, names[i]);
    const joined = role.match(/^\+ (.*)/)?.[1];
    if (joined) assert.deepEqual(sizes[names.indexOf(joined)].slice(0, 2), sizes[i].slice(0, 2), role);
  });
  assert.ok(roles.filter(Boolean).length > names.length / 2, roles.join());
  await apart(driver);

  // The strongest channels of some stages.
  for (const name of [names[1], names[4], names.at(-2), names.at(-1)]) await strongest(driver, name);

  // Another size of picture, which no stage divides.
  await driver.evaluate(() => {
    const image = new ImageData(101, 67);
    for (let i = 0; i < image.data.length; i += 1) image.data[i] = i % 4 === 3 ? 255 : (i * 37) % 251;
    globalThis.explainer.add({ id: "own-odd", title: "odd", source: "yours", image, labels: null });
  });
  await driver.wait(
    () => document.querySelector("[data-stage] .size").textContent.replace(/\s/g, "") === "67×101×3",
  );
  const odd = await driver.evaluate(() =>
    [...document.querySelectorAll("[data-stage] .size")].map((node) =>
      node.textContent.replace(/\s/g, "").replace(/×/g, ","),
    ),
  );
  assert.deepEqual(odd, await computed(driver, names));
  await strongest(driver, names[3]);
  return { stages: names, weights: total };
}

const mapped = (driver, name) =>
  driver.wait(
    (stage) => document.querySelector(`.maps canvas[aria-label^="${stage}, "]`) !== null,
    name,
  );

const overflow = (driver) =>
  driver.evaluate(() => {
    const node = document.querySelector(".stage");
    return Math.max(node.scrollHeight - node.clientHeight, node.scrollWidth - node.clientWidth);
  });

// Names, ways, bars and sizes do not run into each other.
async function apart(driver) {
  const rows = await driver.evaluate(() =>
    [...document.querySelectorAll("[data-stage][role=radio]")].map((node) => {
      const [name, bar, size] = ["text", ".bar", ".size"].map((each) =>
        node.querySelector(each).getBoundingClientRect(),
      );
      return { name: node.dataset.stage, spaces: [bar.left - name.right, size.left - bar.right] };
    }),
  );
  for (const { name, spaces } of rows) assert.ok(Math.min(...spaces) > 1, `${name}: ${spaces}`);
  const ways = await driver.evaluate(() => {
    const left = Math.min(
      ...[...document.querySelectorAll(".way")].map((way) => way.getBoundingClientRect().left),
    );
    return [...document.querySelectorAll("[data-stage] text:first-of-type")].map(
      (text) => left - text.getBoundingClientRect().right,
    );
  });
  assert.ok(Math.min(...ways) > 0, `names reach the skips: ${ways}`);
}

// Height, width and channels of stages as the network computes them. The name "output" is that of a
// row before the last one; elsewhere it is the result.
const computed = (driver, names) =>
  driver.evaluate(async (wanted) => {
    const page = globalThis.explainer;
    const network = await page.network();
    const { image } = await page.picture();
    const model = page.networks.result;
    const given = network.tf.tensor(new Float32Array(3 * image.width * image.height), [
      1,
      image.height,
      image.width,
      3,
    ]);
    const shapes = wanted.map((name) => {
      const number = network.models[model][name];
      const before =
        name === "output" && wanted.at(-1) !== "output" ? network.operations[number].inputs[0] : number;
      network.models.check = { image: network.models[model].image, it: before };
      if (before === network.models.check.image) return [image.height, image.width, 3].join();
      const { it } = network.run("check", ["it"], { image: given });
      const shape = it.shape.slice(1).join();
      it.dispose();
      return shape;
    });
    delete network.models.check;
    given.dispose();
    return shapes;
  }, names);

async function strongest(driver, name) {
  await driver.evaluate(
    (stage) =>
      document.querySelector(`[data-stage="${stage}"][role=radio]`).dispatchEvent(new MouseEvent("click")),
    name,
  );
  await driver.wait(
    (stage) =>
      document.querySelector(`.maps canvas[aria-label^="${stage}, "]`) !== null &&
      !document.querySelector(".maps").classList.contains("busy"),
    name,
  );
  const { shown, means } = await driver.evaluate(async (stage) => {
    const page = globalThis.explainer;
    const network = await page.network();
    const { image } = await page.picture();
    const rgb = Float32Array.from(
      { length: 3 * image.width * image.height },
      (_, i) => image.data[4 * Math.floor(i / 3) + (i % 3)],
    );
    const given = network.tf.tensor(rgb, [1, image.height, image.width, 3]);
    const { [stage]: map } = network.run(page.networks.result, [stage], { image: given });
    const channels = map.shape[3];
    const data = map.dataSync();
    const sums = Array.from({ length: channels }, (_, c) => {
      let sum = 0;
      for (let i = c; i < data.length; i += channels) sum += data[i] < 0 ? -data[i] : data[i];
      return (sum * channels) / data.length;
    });
    given.dispose();
    map.dispose();
    return {
      means: sums,
      shown: [...document.querySelectorAll(".maps [data-channel]")].map(({ dataset }) => [
        Number(dataset.channel),
        Number(dataset.mean),
      ]),
    };
  }, name);
  assert.equal(shown.length, Math.min(12, means.length), name);
  const weakest = [...means].sort((a, b) => b - a)[shown.length - 1];
  for (const [channel, mean] of shown) {
    assert.ok(
      means[channel] >= weakest * (1 - 1e-4),
      `channel ${channel} of ${name} is not among its strongest`,
    );
    assert.ok(
      Math.abs(mean - means[channel]) <= 0.01 * weakest + 1e-6,
      `channel ${channel} of ${name}: ${mean}, ${means[channel]}`,
    );
  }
  assert.equal(new Set(shown.map(([channel]) => channel)).size, shown.length);
}

// --- stages of networks that are not in the page

const row = (name, kind, shape, inputs, more = {}) => ({
  name,
  kind,
  output_shape: shape,
  inputs,
  trained: false,
  parameters: 0,
  detail: "",
  ...more,
});
const conv = (name, shape, inputs, trained = false) =>
  row(name, "Conv2D", shape, inputs, { parameters: 10, trained });
const up = (name, shape, inputs) =>
  row(name, "Conv2DTranspose", shape, inputs, { parameters: 4, trained: true });

function otherNetworks() {
  const summed = (stages, rows) =>
    assert.equal(
      stages.reduce((sum, { weights }) => sum + weights, 0),
      rows.reduce((sum, { parameters }) => sum + parameters, 0),
    );

  // FCN-8s behind VGG.
  const vgg = [row("image", "InputLayer", [96, 128, 3], [])];
  [1, 2, 3, 4, 5].forEach((k) => {
    const size = [96 / 2 ** (k - 1), 128 / 2 ** (k - 1), 8 * k];
    vgg.push(conv(`conv${k}_1`, size, [vgg.at(-1).name]), conv(`conv${k}_2`, size, [`conv${k}_1`]));
    vgg.push(row(`pool${k}`, "MaxPooling2D", [size[0] / 2, size[1] / 2, 8 * k], [`conv${k}_2`]));
  });
  const fcn = [
    ...vgg,
    conv("fc6", [3, 4, 64], ["pool5"], true),
    conv("fc7", [3, 4, 64], ["fc6"], true),
    conv("score_fr", [3, 4, 5], ["fc7"], true),
    up("upscore2", [6, 8, 5], ["score_fr"]),
    conv("score_pool4", [6, 8, 5], ["pool4"], true),
    row("align_pool4", "CropToMatch", [6, 8, 5], ["upscore2", "score_pool4"]),
    row("fuse_pool4", "Add", [6, 8, 5], ["align_pool4", "score_pool4"]),
    up("upscore_pool4", [12, 16, 5], ["fuse_pool4"]),
    conv("score_pool3", [12, 16, 5], ["pool3"], true),
    row("align_pool3", "CropToMatch", [12, 16, 5], ["upscore_pool4", "score_pool3"]),
    row("fuse_pool3", "Add", [12, 16, 5], ["align_pool3", "score_pool3"]),
    up("upscore8", [96, 128, 5], ["fuse_pool3"]),
    row("logits", "CropToMatch", [96, 128, 5], ["upscore8", "image"]),
  ];
  const stages = stagesOf(fcn);
  assert.equal(
    stages.map(({ name }) => name).join(" "),
    "image pool1 pool2 pool3 pool4 pool5 fc6 fc7 score_fr upscore2 fuse_pool4 upscore_pool4 fuse_pool3 " +
      "upscore8 logits",
  );
  assert.deepEqual(
    stages
      .filter(({ skip }) => skip)
      .map(({ name, skip }) => [name, stages[skip.from].name, skip.through.map((each) => each.name)]),
    [
      ["fuse_pool4", "pool4", ["score_pool4"]],
      ["fuse_pool3", "pool3", ["score_pool3"]],
    ],
  );
  assert.equal(stages.find(({ name }) => name === "pool3").weights, 20);
  assert.ok(!stages[3].trained && stages[6].trained);
  summed(stages, fcn);

  // A U-Net without a name that says what it is, all of it trained.
  const unet = [
    row("picture", "InputLayer", [64, 64, 3], []),
    conv("a", [64, 64, 8], ["picture"], true),
    row("b", "MaxPooling2D", [32, 32, 8], ["a"]),
    conv("c", [32, 32, 16], ["b"], true),
    row("d", "MaxPooling2D", [16, 16, 16], ["c"]),
    conv("e", [16, 16, 32], ["d"], true),
    row("f", "UpSampling2D", [32, 32, 32], ["e"]),
    row("g", "Concatenate", [32, 32, 48], ["f", "c"]),
    conv("h", [32, 32, 16], ["g"], true),
    row("i", "UpSampling2D", [64, 64, 16], ["h"]),
    row("j", "Concatenate", [64, 64, 24], ["i", "a"]),
    conv("k", [64, 64, 4], ["j"], true),
  ];
  const shown = stagesOf(unet);
  assert.deepEqual(
    shown.filter(({ skip }) => skip).map(({ name, skip }) => [name, shown[skip.from].name]),
    [
      ["g", "c"],
      ["j", "a"],
    ],
  );
  assert.ok(
    ["picture", "e", "f", "k"].every((name) => shown.some((stage) => stage.name === name)),
    shown.map(({ name }) => name).join(),
  );
  summed(shown, unet);

  // An autoencoder's network without skips, and one far too long.
  const cae = [
    row("in", "InputLayer", [64, 64, 3], []),
    conv("down1", [32, 32, 8], ["in"], true),
    conv("down2", [16, 16, 16], ["down1"], true),
    up("up1", [32, 32, 8], ["down2"]),
    up("up2", [64, 64, 2], ["up1"]),
  ];
  assert.equal(
    stagesOf(cae)
      .map(({ name }) => name)
      .join(" "),
    "in down1 down2 up1 up2",
  );
  const long = [row("in", "InputLayer", [64, 64, 3], []), conv("down", [32, 32, 8], ["in"])];
  for (let i = 0; i < 60; i += 1)
    long.push(conv(`wide${i}`, [32, 32, 8 + (i % 2)], [long.at(-1).name], true));
  long.push(up("up", [64, 64, 2], [long.at(-1).name]));
  const few = stagesOf(long);
  assert.ok(
    few.length <= 20 && few[0].name === "in" && few.at(-1).name === "up",
    few.map(({ name }) => name).join(),
  );
  summed(few, long);
}
