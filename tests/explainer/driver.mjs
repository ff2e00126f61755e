// One way to drive a page for Chromium (playwright-core) and Firefox (puppeteer-core, by BiDi).
//
//     node driver.mjs SPECIFICATION.json
//
// The specification: { page, browser: "chromium" | "firefox", executable, chapters: [ids], width,
// height, given: {…} }. It runs `check` of chapters/ID.mjs for each, and prints one line of JSON:
// { chapter: { facts } or { error } }, and what the page asked the network for.
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const specification = JSON.parse(readFileSync(process.argv[2], "utf8"));
const require = createRequire(join(specification.modules, "package.json"));
const TIMEOUT = 120_000; // a slow machine is not a broken page

// What a check works with.
export class Driver {
  constructor(page, kind, address) {
    Object.assign(this, { page, kind, address, errors: [], requests: [] });
    page.on("pageerror", (error) => this.errors.push(String(error.stack ?? error)));
    page.on("request", (request) => {
      const url = request.url();
      if (!/^(file|data|blob|about):/.test(url)) this.requests.push(url);
    });
  }

  async open(hash = "", query = "") {
    await this.page.goto("about:blank");
    await this.page.goto(`${this.address}${query}#${hash}`, { timeout: TIMEOUT });
    await this.wait(() => document.querySelector(".stage, .presenter, iframe") !== null);
  }

  // Runs a function in the page: evaluate((n) => n + 1, 1).
  evaluate(run, argument) {
    return this.page.evaluate(run, argument);
  }

  // Waits until a function in the page returns true.
  async wait(run, argument) {
    const start = Date.now();
    for (;;) {
      if (await this.page.evaluate(run, argument)) return;
      if (this.errors.length) throw new Error(`the page failed: ${this.errors.join("; ")}`);
      if (Date.now() - start > TIMEOUT) throw new Error(`waited in vain for ${run}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  // Clicks what a visitor would find by its words: a button, a radio button, a switch.
  async press(text, within = "body") {
    await this.page.evaluate(([words, place]) => {
      const found = [...document.querySelectorAll(`${place} :is(button, label, a)`)].find((node) =>
        (node.getAttribute("aria-label") ?? node.textContent).trim() === words);
      if (!found) throw new Error(`nothing to press is called ${words}`);
      found.click();
    }, [text, within]);
  }

  // Moves a slider, found by its label.
  async slide(label, value) {
    await this.page.evaluate(([words, next]) => {
      const found = [...document.querySelectorAll(".slider")].find((node) =>
        node.querySelector("label").textContent.trim() === words);
      if (!found) throw new Error(`no slider is called ${words}`);
      const input = found.querySelector("input");
      input.value = next;
      input.dispatchEvent(new Event("input", { bubbles: true }));
      input.dispatchEvent(new Event("change", { bubbles: true }));
    }, [label, value]);
  }

  // Chooses one of several, found by the legend of the group and the words of the option.
  async choose(legend, text) {
    await this.page.evaluate(([name, words]) => {
      const group = [...document.querySelectorAll("fieldset.choice")].find((node) =>
        node.querySelector("legend").textContent === name);
      [...group.querySelectorAll("label")].find((label) => label.textContent === String(words)).click();
    }, [legend, text]);
  }

  key(name) {
    return this.page.keyboard.press(name);
  }

  // Clicks at a place of an element: (0, 0) is its top left corner, (1, 1) its bottom right one.
  async point(selector, x, y) {
    const box = await this.box(selector);
    await this.page.mouse.click(box.x + x * box.width, box.y + y * box.height);
  }

  // Drags over an element along places from 0 to 1: [[0.1, 0.5], [0.9, 0.5]].
  async drag(selector, places) {
    const box = await this.box(selector);
    const at = ([x, y]) => [box.x + x * box.width, box.y + y * box.height];
    await this.page.mouse.move(...at(places[0]));
    await this.page.mouse.down();
    for (const place of places.slice(1)) await this.page.mouse.move(...at(place), { steps: 8 });
    await this.page.mouse.up();
  }

  box(selector) {
    return this.page.evaluate((place) => {
      const node = document.querySelector(place);
      node.scrollIntoView({ block: "center" });
      const { x, y, width, height } = node.getBoundingClientRect();
      return { x, y, width, height };
    }, selector);
  }

  // Gives a file to a file input, as text of its bytes in base64.
  async give(selector, name, type, base64) {
    await this.page.evaluate(([place, title, kind, text]) => {
      const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], title, { type: kind }));
      const input = document.querySelector(place);
      input.files = transfer.files;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    }, [selector, name, type, base64]);
  }

  text(selector) {
    return this.page.evaluate((place) => document.querySelector(place)?.textContent ?? null, selector);
  }
}

export async function started({ browser: kind, executable, width = 1280, height = 720 }) {
  if (kind === "firefox") {
    const puppeteer = require("puppeteer-core");
    const browser = await puppeteer.launch({
      browser: "firefox", executablePath: executable, headless: true,
      defaultViewport: { width, height }, protocolTimeout: TIMEOUT,
    });
    return { browser, page: await browser.newPage() };
  }
  const { chromium } = require("playwright-core");
  const browser = await chromium.launch({
    executablePath: executable,
    args: ["--no-sandbox", "--disable-dev-shm-usage", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
  });
  const context = await browser.newContext({ viewport: { width, height } });
  return { browser, page: await context.newPage() };
}

async function main() {
  const { browser, page } = await started(specification);
  const address = pathToFileURL(specification.page).href;
  const found = {};
  for (const id of specification.chapters) {
    const start = performance.now();
    const driver = new Driver(page, specification.browser, address);
    const path = join(dirname(fileURLToPath(import.meta.url)), "chapters", `${id}.mjs`);
    try {
      if (!existsSync(path)) throw new Error(`no check is written for ${id}`);
      const { check } = await import(pathToFileURL(path).href);
      await driver.open(id);
      const facts = (await check(driver, specification.given ?? {})) ?? {};
      if (driver.errors.length) throw new Error(driver.errors.join("; "));
      found[id] = { facts };
    } catch (error) {
      found[id] = { error: error.stack };
    }
    found[id].requests = driver.requests;
    found[id].seconds = (performance.now() - start) / 1000;
    page.removeAllListeners("pageerror");
    page.removeAllListeners("request");
  }
  await browser.close();
  console.log(JSON.stringify(found));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
