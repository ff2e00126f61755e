import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

// axe-core's findings in every chapter: none that is serious or critical.
export async function check(driver, given) {
  const axe = readFileSync(given.axe, "utf8");
  const found = [];
  const { theme } = given;
  for (const id of given.chapters) {
    await driver.open(id);
    await driver.evaluate((name) => { document.documentElement.dataset.theme = name; }, theme);
    await driver.evaluate(() => document.querySelector(".answer")?.click());
    await driver.evaluate(() => globalThis.explainer.network().then(() => true, () => false));
    const violations = await driver.evaluate(async (source) => {
      if (!globalThis.axe) (0, eval)(source);
      const { violations: all } = await globalThis.axe.run(document, { resultTypes: ["violations"] });
      return all
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .map(({ id: rule, nodes }) => `${rule}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 140)).join(" | ")}`);
    }, axe);
    found.push(...violations.map((violation) => `${theme} ${id}: ${violation}`));
  }
  assert.deepEqual(found, []);
}
