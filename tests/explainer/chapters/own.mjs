import assert from "node:assert/strict";

// A page around somebody's own model: every chapter opens, and its network answers.
export async function check(driver, given) {
  const opened = [];
  for (const id of given.chapters) {
    await driver.open(id);
    await driver.wait(() => document.querySelector(".stage").children.length > 0);
    await driver.evaluate(() => globalThis.explainer.network().then(() => true));
    await driver.wait(() => new Promise((resolve) => setTimeout(() => resolve(true), 300)));
    assert.equal(await driver.text(".message p"), "", id);
    opened.push(id);
  }
  const classes = await driver.evaluate(async () => {
    const { explainer, FCN } = globalThis;
    const { image } = await explainer.picture();
    const { output } = FCN.maps(await explainer.network(), "result", explainer.fitting(image), ["output"]);
    return output.channels;
  });
  return { opened, classes };
}
