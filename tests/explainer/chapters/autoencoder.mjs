import assert from "node:assert/strict";

// Decibels, anew, from the pixels of the two canvases.
const decibels = (driver) => driver.evaluate(() => {
  const [a, b] = ["given", "made"].map((id) => {
    const canvas = document.getElementById(id);
    return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  });
  if (a.width !== b.width || a.height !== b.height) return NaN;
  let sum = 0;
  for (let i = 0; i < a.data.length; i += 1) if (i % 4 < 3) sum += (a.data[i] - b.data[i]) ** 2;
  return 10 * Math.log10((255 * 255) / (sum / (0.75 * a.data.length)));
});
// Mean of the reconstruction's colours, as a share of that of the picture's.
const brightness = (driver) => driver.evaluate(() => {
  const [made, given] = ["made", "given"].map((id) => {
    const canvas = document.getElementById(id);
    return canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data
      .reduce((sum, value, i) => sum + (i % 4 < 3 ? value : 0), 0);
  });
  return made / given;
});
const said = (driver) => driver.evaluate(() => Number(document.querySelector("[data-psnr]").dataset.psnr));
const kept = (driver) => driver.evaluate(() => document.getElementById("made").dataset.kept ?? "");
const until = (driver, size) => driver.wait((wanted) => {
  const channels = (document.getElementById("made").dataset.kept ?? "none").split(" ").filter(Boolean);
  return channels.length === wanted && !channels.includes("none")
    && !document.querySelector(".stage").classList.contains("busy");
}, size);

// The mean channels of the latent map, and the decibels with some of them, straight from the network.
const expected = (driver, count) => driver.evaluate(async (n) => {
  const page = globalThis.explainer;
  const network = await page.network();
  const { tf } = network;
  const { image } = await page.picture();
  const rgb = [...image.data].filter((_, i) => i % 4 < 3);
  const x = tf.tensor(rgb, [1, image.height, image.width, 3]);
  const { conv3 } = network.run(page.networks.cae, ["conv3"], { image: x });
  const means = [...tf.mean(conv3, [0, 1, 2]).dataSync()];
  const order = means.map((_, i) => i).sort((a, b) => means[b] - means[a]).slice(0, n);
  const mask = tf.tensor(means.map((_, i) => (order.includes(i) ? 1 : 0)));
  const { output } = network.run(page.networks.cae, ["output"], { image: x, conv3: tf.mul(conv3, mask) });
  const off = output.dataSync().map((value, i) => Math.min(255, Math.max(0, value)) - rgb[i]);
  const mean = off.reduce((sum, value) => sum + value * value, 0) / off.length;
  return { psnr: 10 * Math.log10(255 ** 2 / mean), shape: conv3.shape, order, means };
}, count);

async function agrees(driver, count) {
  const { psnr, shape, order, means } = await expected(driver, count);
  const [height, width] = await driver.evaluate(() => {
    const { height: rows, width: columns } = document.getElementById("given");
    return [rows, columns];
  });
  assert.deepEqual(shape, [1, Math.ceil(height / 8), Math.ceil(width / 8), 64]);
  assert.ok(Math.abs(await said(driver) - psnr) < 0.01, `${await said(driver)} is not ${psnr}`);
  assert.ok(Math.abs(await decibels(driver) - psnr) < 0.1, `${await decibels(driver)} is not ${psnr}`);
  const numbers = (value) => value.toLocaleString("en-US");
  const words = await driver.text("#numbers");
  assert.ok(words.includes(`Kept: ${numbers(shape[1] * shape[2] * count)} number`), words);
  assert.ok(words.includes(`has ${numbers(height * width * 3)}`), words);
  // channels of zeros among those that are kept carry nothing
  const idle = order.filter((channel) => means[channel] === 0).length;
  const used = shape[1] * shape[2] * (count - idle);
  if (idle) assert.ok(words.includes(`Without the empty channels: ${numbers(used)}.`), words);
  else assert.doesNotMatch(words, /empty/);
  assert.ok((await driver.text("#latent")).includes(`${shape[1]} × ${shape[2]} × 64`));
  return { psnr, order };
}

// The read-outs are those of the pictures on the screen, for any picture and any choice of channels.
export async function check(driver) {
  await driver.wait(() => document.getElementById("given").width > 1);
  await until(driver, 64);
  const whole = await agrees(driver, 64);
  assert.equal(await driver.evaluate(() => document.querySelectorAll(".channel").length), 64);

  await driver.slide("Keep the strongest channels", 12);
  await until(driver, 12);
  const some = await agrees(driver, 12);
  assert.deepEqual((await kept(driver)).split(" ").map(Number), some.order.sort((a, b) => a - b));
  assert.ok(some.psnr < whole.psnr - 3);
  await driver.slide("Keep the strongest channels", 0);
  await until(driver, 0);
  await agrees(driver, 0);
  // whoever sees a dark picture is told why
  assert.equal(/^Darker/.test(await driver.text("#dark")), await brightness(driver) < 0.75);

  // One map, by the keys: the second strongest goes off, and on again.
  await driver.press("All");
  await until(driver, 64);
  await driver.evaluate(() => document.querySelector(".channel").focus());
  await driver.key("ArrowRight");
  await driver.key("Enter");
  await until(driver, 63);
  assert.equal(await driver.evaluate(() => document.querySelectorAll('.channel[aria-pressed="false"]').length), 1);
  assert.equal(await driver.evaluate(() => document.querySelector(".channel:nth-child(2)").getAttribute("aria-pressed")), "false");
  assert.ok(await said(driver) < whole.psnr - 0.05);
  assert.ok(Math.abs(await decibels(driver) - await said(driver)) < 0.1);
  assert.equal(await driver.evaluate(() => location.hash), "#autoencoder");

  // The visitor's own picture, of an odd size; and a choice while the picture is still computed.
  const drawn = '<svg xmlns="http://www.w3.org/2000/svg" width="37" height="50"><rect width="37" height="50" fill="#47a"/><circle cx="18" cy="20" r="12" fill="#fb4"/></svg>';
  await driver.give('.picker input[type="file"]', "odd.svg", "image/svg+xml", Buffer.from(drawn).toString("base64"));
  await driver.slide("Keep the strongest channels", 20);
  await driver.wait(() => document.getElementById("made").width === 37 && document.getElementById("made").height === 50);
  await until(driver, 20);
  await agrees(driver, 20);
  assert.deepEqual(
    await driver.evaluate(() => [...document.querySelector(".channel canvas").parentNode.children].map(({ width, height }) => [width, height])),
    [[5, 7]],
  );

  // Away and back: it still runs, with the picture that was chosen.
  await driver.evaluate(() => { location.hash = "tasks"; });
  await driver.wait(() => document.getElementById("scene") !== null);
  await driver.evaluate(() => { location.hash = "autoencoder"; });
  await driver.wait(() => document.getElementById("made")?.width === 37);
  await until(driver, 64);
  await agrees(driver, 64);
  return { decibels: whole.psnr };
}
