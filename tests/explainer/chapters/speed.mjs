// What the page costs: seconds from opening, milliseconds a picture and a training step, and
// whether memory grows over given.times pictures and steps.
export async function check(driver, given) {
  const start = performance.now();
  await driver.open("result");
  const shown = performance.now() - start;
  await driver.wait(() => globalThis.explainer.network().then(() => true));
  const started = performance.now() - start;
  const first = await driver.evaluate(async () => {
    const { explainer, FCN } = globalThis;
    const { image } = await explainer.picture();
    FCN.maps(await explainer.network(), "result", explainer.fitting(image));
    return [image.height, image.width];
  });
  const predicted = performance.now() - start;
  const costs = await driver.evaluate(async (times) => {
    const { explainer, FCN } = globalThis;
    const network = await explainer.network();
    const { image } = await explainer.picture();
    const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
    const memory = () => [network.tf.memory().numTensors, network.tf.memory().numBytes];
    const timed = async (count, run) => {
      const spent = [];
      for (let i = 0; i < count; i += 1) {
        const begin = performance.now();
        await run(i);
        spent.push(performance.now() - begin);
        if (i % 20 === 0) await new Promise((resolve) => setTimeout(resolve));
      }
      return median(spent);
    };
    const picture = () => FCN.maps(network, "result", image);
    await timed(5, picture);
    const before = memory();
    const perPicture = await timed(times, picture);
    const afterPictures = memory();
    const labels = Uint8Array.from({ length: image.width * image.height }, (_, i) => (i % 7 ? 255 : i % 2));
    const head = new FCN.Head(network, explainer.networks.paint, 2);
    head.look(image);
    head.begin(times + 3, 1e-3);
    await timed(3, () => head.step(labels));
    const beforeSteps = memory();
    const perStep = await timed(times, () => head.step(labels));
    const afterSteps = memory();
    head.dispose();
    return { perPicture, perStep, before, afterPictures, beforeSteps, afterSteps };
  }, given.times ?? 20);
  return { shown, started, predicted, size: first, ...costs };
}
