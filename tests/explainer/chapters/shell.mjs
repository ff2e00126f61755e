import assert from "node:assert/strict";

// The way through the chapters, the question first, the presenter's window, the printed handout.
export async function check(driver) {
  const opened = Date.now();
  await driver.open("");
  assert.ok(Date.now() - opened < 60_000);
  const ids = await driver.evaluate(() => globalThis.explainer.contents.chapters);
  const here = () => driver.evaluate(() => document.querySelector(".stage").dataset.chapter);
  assert.equal(await here(), ids[0]);

  // the keys step through all of them, and stop at the ends
  await driver.key("ArrowLeft");
  for (const id of ids.slice(1)) {
    await driver.key("ArrowRight");
    await driver.wait((wanted) => document.querySelector(".stage").dataset.chapter === wanted, id);
    assert.match(await driver.text("header h1"), new RegExp(`^${ids.indexOf(id) + 1} / ${ids.length}`));
  }
  await driver.key("ArrowRight");
  assert.equal(await here(), ids.at(-1));
  await driver.evaluate(() => document.querySelector("header nav a").click());
  await driver.wait((first) => document.querySelector(".stage").dataset.chapter === first, ids[0]);

  // the sentence shows when the question is answered, right or wrong, and stays
  const shown = () => driver.evaluate(() => getComputedStyle(document.querySelector(".home")).display);
  assert.equal(await shown(), "none");
  const { right, answers } = await driver.evaluate(() => {
    const buttons = [...document.querySelectorAll(".answer")];
    buttons.at(-1).click();
    return { answers: buttons.length, right: buttons.findIndex((node) => node.classList.contains("right")) };
  });
  assert.ok(answers >= 2 && right >= 0);
  assert.equal(await shown(), "block");
  assert.match(await driver.text(".because"), right === answers - 1 ? /^Yes\. ./ : /^Not quite\. ./);
  await driver.key("ArrowRight");
  await driver.wait((id) => document.querySelector(".stage").dataset.chapter === id, ids[1]);
  await driver.key("ArrowLeft");
  await driver.wait((id) => document.querySelector(".stage").dataset.chapter === id, ids[0]);
  assert.equal(await shown(), "block");

  // light and dark
  const paper = () => driver.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const before = await paper();
  await driver.press("Light or dark");
  assert.notEqual(await paper(), before);

  // the presenter's window has notes and time, and steps the other one
  await driver.open("", "?present");
  assert.match(await driver.text(".clock"), /^0:0\d of \d+ min/);
  assert.ok((await driver.evaluate(() => document.querySelectorAll("main li").length)) >= 2);

  if (driver.kind === "chromium") {
    const opening = driver.page.waitForEvent("popup");
    await driver.press("Open the projector's window");
    const projector = await opening;
    await projector.waitForSelector(".stage");
    const at = () => projector.evaluate(() => document.querySelector(".stage").dataset.chapter);
    await driver.key("ArrowRight");
    while ((await at()) !== ids[1]) await new Promise((resolve) => setTimeout(resolve, 20));
    await driver.wait((title) => document.querySelector("h1").textContent.startsWith(title), "2 / ");
    await projector.keyboard.press("ArrowRight"); // the projector's own keys: the notes follow
    await driver.wait((title) => document.querySelector("h1").textContent.startsWith(title), "3 / ");
    await projector.close();
  }

  // every chapter stands in the handout, which prints on two pages
  await driver.open("");
  const handout = await driver.text(".handout");
  const titles = await driver.evaluate(() =>
    [...document.querySelectorAll("header nav a")].map((link) => link.title));
  for (const title of titles) assert.ok(handout.includes(title), title);
  if (driver.kind === "chromium") {
    const pdf = (await driver.page.pdf({ preferCSSPageSize: true })).toString("latin1");
    assert.equal(pdf.match(/\/Type\s*\/Page\b/g).length, 2);
  }

  // nothing is sent, even if a page's script tries to
  const sent = await driver.evaluate(async () => {
    try {
      await fetch("https://example.org/");
      return true;
    } catch {
      return false;
    }
  });
  assert.equal(sent, false);
}
