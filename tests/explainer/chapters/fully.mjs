import assert from "node:assert/strict";

// The same weights take every size, and answer in that size.
export async function check(driver) {
  await driver.wait(() => document.querySelector("canvas.wide")?.width > 10);
  await driver.slide("height", 33);
  await driver.wait(() => document.querySelector("canvas.wide").height === 33);
  assert.equal(await driver.evaluate(() => document.querySelector("canvas.wide").height), 33);
}
