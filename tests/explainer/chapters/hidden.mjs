import assert from "node:assert/strict";

// A notebook lays a cell's frame out late: a chapter that is built without any room, and gets it
// afterwards, says nothing and shows its picture.
export async function check(driver, given) {
  for (const id of given.chapters) {
    await driver.evaluate(() => { document.documentElement.style.display = "none"; });
    await driver.evaluate((wanted) => { location.hash = wanted; }, id);
    await driver.wait((wanted) => document.querySelector(".stage").dataset.chapter === wanted, id);
    await driver.evaluate(() => new Promise((resolve) => setTimeout(() => resolve(true), 300)));
    await driver.evaluate(() => { document.documentElement.style.display = ""; });
    await driver.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(true)))));
    await driver.evaluate(() => globalThis.explainer.network().then(() => true));
    assert.equal(await driver.text(".message p"), "", id);
    assert.deepEqual(driver.errors, [], id);
    await driver.wait(() => [...document.querySelectorAll(".stage :is(canvas, svg)")]
      .some((node) => node.getBoundingClientRect().width > 40 && node.getBoundingClientRect().height > 10));
  }
}
