import assert from "node:assert/strict";

// A chapter inside a notebook's cell: in a frame, without the other chapters.
export async function check(driver, given) {
  const frame = () => driver.page.frames().find((each) => each !== driver.page.mainFrame());
  const start = Date.now();
  while (!(frame() && (await frame().evaluate(() => document.querySelector(".stage")?.children.length > 0)))) {
    assert.ok(Date.now() - start < 120_000, "the frame stays empty");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const facts = await frame().evaluate(() => ({
    chapter: document.querySelector(".stage").dataset.chapter,
    title: document.querySelector("h1").textContent,
    message: document.querySelector(".message p").textContent,
    links: document.querySelectorAll("header nav a").length,
  }));
  assert.equal(facts.chapter, given.chapter);
  assert.equal(facts.message, "");
  assert.equal(facts.links, 0);
  return facts;
}
