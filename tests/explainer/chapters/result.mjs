import assert from "node:assert/strict";
import { catchDownloads, download, pixelsOf, pngMade } from "../files.mjs";

const VOID = 255;
const [FOUND, MISSED, INVENTED] = [[0, 114, 178], [213, 94, 0], [204, 121, 167]];
// Tiny files as Pillow writes them: red in CMYK, a picture that was taken with the camera on its side
// (red above blue), two images in one GIF (red, then blue).
const CMYK = "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwANCQoLCggNCwoLDg4NDxMgFRMSEhMnHB4XIC4pMTAuKS0sMzpKPjM2RjcsLUBXQUZMTlJTUjI+WmFaUGBKUVJP/8AAFAgACAAQBEMRAE0RAFkRAEsRAP/EABUAAQEAAAAAAAAAAAAAAAAAAAAH/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/aAA4EQwBNAFkASwAAPwCnJgmCnAD/2Q==";
const TURNED = "/9j/4AAQSkZJRgABAQAAAQABAAD/4QAiRXhpZgAATU0AKgAAAAgAAQESAAMAAAABAAYAAAAAAAD/2wBDAAYEBQYFBAYGBQYHBwYIChAKCgkJChQODwwQFxQYGBcUFhYaHSUfGhsjHBYWICwgIyYnKSopGR8tMC0oMCUoKSj/2wBDAQcHBwoIChMKChMoGhYaKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCj/wAARCAAIABADASIAAhEBAxEB/8QAFQABAQAAAAAAAAAAAAAAAAAAAAb/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/8QAFAEBAAAAAAAAAAAAAAAAAAAABv/EABoRAAEFAQAAAAAAAAAAAAAAAAAGB0OCwkT/2gAMAwEAAhEDEQA/AIBGgUt5000J1pBbJ//Z";
const MOVING = "R0lGODlhDAAIAIEAAP8AAAAAAAAAAAAAACH/C05FVFNDQVBFMi4wAwEAAAAh+QQABQAAACwAAAAADAAIAAAIEgABCBxIsKDBgwgTKlzIsGHBgAAh+QQBBQABACwAAAAADAAIAIEAAP8AAAAAAAAAAAAIEgABCBxIsKDBgwgTKlzIsGHBgAA7";

const ready = (driver) => driver.wait(() => {
  const { picture, milliseconds } = document.getElementById("time").dataset;
  return picture === globalThis.explainer.current && milliseconds !== undefined;
});
const message = (driver) => driver.text(".message");
const bytesOf = (text) => [...Buffer.from(text, "base64")];
// Numbers travel as text: a list of a million takes a browser a second.
const texts = (driver) => driver.evaluate(() => {
  globalThis.base64 = (array) => {
    let text = "";
    for (let i = 0; i < array.length; i += 8192) text += String.fromCharCode(...array.subarray(i, i + 8192));
    return btoa(text);
  };
});
const pixels = async (driver, view) => {
  const { width, height, text } = await driver.evaluate((name) => {
    const canvas = document.getElementById(`view-${name}`);
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    return { width: canvas.width, height: canvas.height, text: globalThis.base64(data) };
  }, view);
  return { width, height, data: bytesOf(text) };
};
const picture = async (driver) => {
  const { text, marks, ...rest } = await driver.evaluate(async () => {
    const { image, labels, classes, title, note } = await globalThis.explainer.picture();
    return {
      id: globalThis.explainer.current, title, note, classes, marks: labels && globalThis.base64(labels),
      width: image.width, height: image.height, text: globalThis.base64(image.data),
    };
  });
  return { ...rest, data: bytesOf(text), labels: marks === null ? null : bytesOf(marks) };
};
const choose = async (driver, id) => {
  await driver.evaluate((name) => globalThis.explainer.choose(name), id);
  await ready(driver);
};

const mixed = (data, i, colour, alpha) => [0, 1, 2].map((c) => (1 - alpha) * data[4 * i + c] + alpha * colour[c]);
const near = (data, i, colour) => colour.every((value, c) => Math.abs(data[4 * i + c] - value) <= 1);

// The labels that the canvas shows: of the colours that may lie over a pixel, the one that does.
function labelsShown(shown, image, colours, alpha = 0.5) {
  return Array.from({ length: shown.data.length / 4 }, (_, i) => {
    const fits = colours.map((colour) => near(shown.data, i, mixed(image.data, i, colour ?? [0, 0, 0], colour ? alpha : 0)));
    if (fits.filter(Boolean).length !== 1) assert.fail(`pixel ${i}`);
    return fits.indexOf(true);
  });
}

// Given `long`, also a picture of 50 megapixels, which takes some seconds and some memory.
export async function check(driver, given) {
  await catchDownloads(driver);
  await texts(driver);
  await ready(driver);
  const { classes, pictures, scene, other } = await driver.evaluate(() => {
    const { contents } = globalThis.explainer;
    const names = contents.classes.map(({ name }) => name);
    const same = ({ classes: own }) => String(own) === String(names);
    return {
      classes: contents.classes, pictures: contents.pictures.map(({ id }) => id),
      scene: contents.pictures.find(same)?.id, other: contents.pictures.find((entry) => entry.labels && !same(entry))?.id,
    };
  });
  if (scene) await scored(driver, scene, classes);
  if (other) {
    await choose(driver, other);
    const { classes: names } = await picture(driver);
    assert.equal(await driver.evaluate(() => document.querySelectorAll("[data-iou], [data-accuracy]").length), 0);
    const note = await driver.text("#note");
    for (const name of [...names, ...classes.map((entry) => entry.name)]) assert.ok(note.includes(name), name);
    assert.equal(await driver.evaluate(() => document.querySelector('[data-view="truth"]').hidden), true);
  }
  await files(driver, pictures[0], classes, given.long);
  await camera(driver, pictures[0]);
  await withoutWebAssembly(driver);
  assert.deepEqual(driver.requests, []);
}

// A scene with labels: what is shown, against what is counted here.
async function scored(driver, id, classes) {
  await choose(driver, id);
  const image = await picture(driver);
  const shown = await pixels(driver, "found");
  assert.deepEqual([shown.width, shown.height], [image.width, image.height]);
  const found = labelsShown(shown, image, classes.map(({ colour }) => colour));
  const read = await driver.evaluate(() => ({
    iou: [...document.querySelectorAll("[data-iou]")].map(({ dataset }) => [dataset.name, Number(dataset.iou)]),
    accuracy: Number(document.querySelector("[data-accuracy]").dataset.accuracy),
    milliseconds: Number(document.getElementById("time").dataset.milliseconds),
  }));
  const scored = found.map((_, i) => i).filter((i) => image.labels[i] !== VOID);
  const share = (all, test) => all.filter(test).length / all.length;
  assert.ok(Math.abs(read.accuracy - share(scored, (i) => found[i] === image.labels[i])) < 1e-9);
  for (const [k, { name }] of classes.entries()) {
    const either = scored.filter((i) => found[i] === k || image.labels[i] === k);
    const [, value] = read.iou.find(([text]) => text === name) ?? [];
    if (either.length) assert.ok(Math.abs(value - share(either, (i) => found[i] === image.labels[i])) < 1e-9, name);
    else assert.equal(value, undefined);
  }
  assert.ok(read.milliseconds > 0 && (await driver.text("#time")).includes(`segmented in ${Math.round(read.milliseconds)} ms`));
  assert.ok((await driver.text("#time")).startsWith(`${image.height} × ${image.width} pixels`));

  // truth and mistakes
  const last = classes.length - 1;
  const truth = await pixels(driver, "truth");
  const wrong = await pixels(driver, "mistakes");
  for (const i of scored) {
    const [was, is] = [image.labels[i] === last, found[i] === last];
    if (classes[image.labels[i]].colour) assert.ok(near(truth.data, i, classes[image.labels[i]].colour));
    const colour = was && is ? FOUND : was ? MISSED : is ? INVENTED : null;
    assert.ok(near(wrong.data, i, colour ? mixed(image.data, i, colour, 0.55) : mixed(image.data, i, [0, 0, 0], 0)), `mistake ${i}`);
  }
  const wide = (view) => driver.evaluate((name) => document.getElementById(`view-${name}`).getBoundingClientRect().width, view);
  assert.ok((await wide("found")) > 1.5 * (await wide("mistakes")));
  await driver.evaluate(() => document.querySelector('[data-view="mistakes"]').click());
  assert.ok((await wide("mistakes")) > 1.5 * (await wide("found")));
  await driver.evaluate(() => document.querySelector('[data-view="found"]').click());

  const saved = await download(driver, () => driver.press("Save result"));
  const png = pixelsOf(saved.bytes);
  assert.match(saved.name, /-result\.png$/);
  assert.deepEqual([...png.data], shown.data.filter((_, i) => i % 4 !== 3));
}

// Good and bad files; each gives a sentence or a result, and the page goes on.
async function files(driver, first, classes, long) {
  const svg = (text) => Buffer.from(text).toString("base64");
  const png = (...options) => pngMade(...options).toString("base64");
  const before = await picture(driver);

  const refused = [
    ["broken.jpg", "image/jpeg", Buffer.from(CMYK, "base64").subarray(0, 40).toString("base64"), /broken\.jpg could not be read/],
    ["empty.png", "image/png", "", /empty\.png is empty/],
    ["notes.jpg", "image/jpeg", Buffer.from("These are notes.\n").toString("base64"), /notes\.jpg could not be read/],
    ["half.svg", "image/svg+xml", svg("<svg xmlns='http://www.w3.org/2000/svg'><rect"), /half\.svg could not be read/],
    ["phone.heic", "image/heic", Buffer.from("ftypheic").toString("base64"), /export it as JPEG/],
  ];
  for (const [name, type, base64, sentence] of refused) {
    // Firefox also tells its console what is wrong with XML, which the driver takes for a failure.
    if (name === "half.svg" && driver.kind === "firefox") continue;
    await driver.give('input[type="file"]', name, type, base64);
    await driver.wait((text) => document.querySelector(".message").textContent.includes(text), name);
    assert.match(await message(driver), sentence);
    assert.equal((await picture(driver)).id, before.id);
  }

  const take = async (name, type, base64) => {
    await driver.give('input[type="file"]', name, type, base64);
    await driver.wait((id) => globalThis.explainer.current === id, `own-${name}`);
    await ready(driver);
    const shown = await pixels(driver, "found");
    const taken = await picture(driver);
    assert.deepEqual([shown.width, shown.height], [taken.width, taken.height], name);
    labelsShown(shown, taken, classes.map(({ colour }) => colour));
    assert.match(await driver.text("#note"), /No labels, no score/);
    return taken;
  };
  const at = ({ data, width }, x, y) => data.slice(4 * (y * width + x), 4 * (y * width + x) + 3);
  const close = (found, expected, limit = 12) =>
    assert.ok(found.every((value, c) => Math.abs(value - expected[c]) <= limit), `${found} is not ${expected}`);

  const [across, down] = long ? [8000, 5000] : [1600, 1000];
  const huge = await take("huge.png", "image/png", png(across, down, 1));
  assert.deepEqual([huge.width, huge.height], [640, 400]);
  assert.ok((await message(driver)).includes(`from ${down} × ${across} to 400 × 640`));
  const one = await take("one.png", "image/png", png(1, 1, 3, () => [10, 200, 30]));
  assert.deepEqual([one.width, one.height, at(one, 0, 0)], [1, 1, [10, 200, 30]]);
  const thin = await take("thin.png", "image/png", png(20000, 3, 3, () => [90, 90, 90]));
  assert.deepEqual([thin.width, thin.height], [640, 1]);
  const high = await take("high.png", "image/png", png(2, 9000, 3, () => [90, 90, 90]));
  assert.deepEqual([high.width, high.height], [1, 640]);
  const clear = await take("clear.png", "image/png", png(20, 10, 4, (x) => (x < 10 ? [0, 0, 0, 0] : [0, 0, 255, 255])));
  assert.deepEqual([at(clear, 2, 5), at(clear, 15, 5)], [[255, 255, 255], [0, 0, 255]]);
  assert.match(await message(driver), /transparent parts are white/);
  const opaque = await take("opaque.png", "image/png", png(700, 30, 4, () => [0, 0, 255, 255]));
  assert.doesNotMatch(opaque.note, /transparent/);
  const turned = await take("turned.jpg", "image/jpeg", TURNED);
  assert.deepEqual([turned.width, turned.height], [8, 16]);
  close(at(turned, 4, 2), [200, 30, 30]);
  close(at(turned, 4, 13), [20, 20, 220]);
  const moving = await take("moving.gif", "image/gif", MOVING);
  assert.match(moving.note, /first image/);
  close(at(moving, 6, 4), [255, 0, 0]);
  const cmyk = await take("cmyk.jpg", "image/jpeg", CMYK);
  const [red, green, blue] = at(cmyk, 4, 4);
  assert.ok(red > 180 && green < 90 && blue < 90, `${[red, green, blue]}`);

  const half = "<rect width='50%' height='100%' fill='#ff0000'/>";
  const sized = await take("sized.svg", "image/svg+xml", svg(`<svg xmlns='http://www.w3.org/2000/svg' width='80' height='40'>${half}</svg>`));
  assert.deepEqual([sized.width, sized.height, at(sized, 10, 20), at(sized, 70, 20)], [80, 40, [255, 0, 0], [255, 255, 255]]);
  const unsized = await take("unsized.svg", "image/svg+xml", svg(`<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 40 5'>${half}</svg>`));
  assert.deepEqual([unsized.width, unsized.height, at(unsized, 100, 50)], [640, 80, [255, 0, 0]]);
  const without = await take("without.svg", "image/svg+xml", svg(`<svg xmlns='http://www.w3.org/2000/svg'>${half}</svg>`));
  assert.deepEqual([without.width, without.height], [640, 640]);
  const vast = await take("vast.svg", "image/svg+xml", svg(`<svg xmlns='http://www.w3.org/2000/svg' width='9e5' height='1e5'>${half}</svg>`));
  assert.deepEqual([vast.width, vast.height, at(vast, 100, 50)], [640, 71, [255, 0, 0]]);
  const evil = await take("evil.svg", "image/svg+xml", svg(
    "<svg xmlns='http://www.w3.org/2000/svg' xmlns:xlink='http://www.w3.org/1999/xlink' width='40' height='40' onload='globalThis.hacked = 1'>"
    + "<script>globalThis.hacked = 1; fetch('https://example.invalid/script')</script>"
    + "<style>@import url('https://example.invalid/style');</style>"
    + "<image href='https://example.invalid/picture.png' width='40' height='40'/>"
    + "<use xlink:href='https://example.invalid/use.svg#a'/>"
    + `<image href='https://example.invalid/picture.svg' onerror='globalThis.hacked = 1' width='9' height='9'/>${half}</svg>`));
  assert.deepEqual(at(evil, 5, 30), [255, 0, 0]);
  assert.equal(await driver.evaluate(() => globalThis.hacked), undefined);
  assert.deepEqual(driver.requests, []);

  // by dropping and by pasting
  for (const way of ["drop", "paste"]) {
    await driver.evaluate(([kind, text]) => {
      const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], `${kind}.png`, { type: "image/png" }));
      const event = new Event(kind, { bubbles: true, cancelable: true });
      // Firefox lets no script make a paste event with files.
      Object.defineProperty(event, kind === "drop" ? "dataTransfer" : "clipboardData", { value: transfer });
      document.dispatchEvent(event);
    }, [way, png(30, 20, 3, () => [1, 2, 3])]);
    await driver.wait((id) => globalThis.explainer.current === id, `own-${way}.png`);
    await ready(driver);
  }
  await driver.evaluate(() => {
    const transfer = new DataTransfer();
    transfer.setData("text/plain", "https://example.invalid/");
    document.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
  });
  await driver.wait(() => document.querySelector(".message").textContent.includes("no file"));
  await choose(driver, first);
}

// The camera: refused, missing, unplugged, left; and live.
async function camera(driver, first) {
  const answer = (kind) => driver.evaluate((way) => {
    const refuse = (name) => () => Promise.reject(new DOMException("", name));
    const stream = () => {
      const canvas = document.createElement("canvas");
      Object.assign(canvas, { width: 64, height: 48 });
      const context = canvas.getContext("2d");
      let turn = 0;
      globalThis.drawing = setInterval(() => {
        turn += 1;
        context.fillStyle = `rgb(${turn % 256} 120 90)`;
        context.fillRect(0, 0, 64, 48);
      }, 20);
      globalThis.stream = canvas.captureStream();
      return Promise.resolve(globalThis.stream);
    };
    const later = () => new Promise((resolve) => { globalThis.allow = () => stream().then(resolve); });
    const getUserMedia = { refused: refuse("NotAllowedError"), missing: refuse("NotFoundError"), live: stream, later }[way];
    const value = way === "none" ? undefined : { getUserMedia };
    Object.defineProperty(navigator, "mediaDevices", { configurable: true, value });
  }, kind);
  const track = (state) => driver.wait((wanted) => globalThis.stream?.getVideoTracks()[0].readyState === wanted, state);

  for (const [kind, sentence] of [["refused", "was refused"], ["missing", "No camera was found"], ["none", "gives this page no camera"]]) {
    await answer(kind);
    await driver.press("Camera");
    await driver.wait((text) => document.querySelector(".message").textContent.includes(text), sentence);
    await driver.wait(() => !document.getElementById("camera").disabled);
  }

  await answer("live");
  await driver.press("Camera");
  await driver.wait(() => Number(document.getElementById("time").dataset.pictures) > 5);
  const { width, height } = await pixels(driver, "found");
  assert.deepEqual([width, height], [64, 48]);
  const one = await pixels(driver, "input");
  await driver.wait((before) => {
    const canvas = document.getElementById("view-input");
    return canvas.getContext("2d").getImageData(0, 0, 1, 1).data[0] !== before;
  }, one.data[0]);
  await driver.press("Keep this picture");
  await driver.wait(() => globalThis.explainer.own[0]?.title === "camera 1");
  await track("ended");
  await ready(driver);

  // whoever leaves the chapter has switched it off; also if it was allowed only then
  const leave = async () => {
    await driver.evaluate(() => document.querySelector("header nav a:not([aria-current])").click());
    await driver.wait(() => document.querySelector(".stage").dataset.chapter !== "result");
  };
  const back = async () => {
    await driver.evaluate(() => { location.hash = "result"; });
    await driver.wait(() => document.querySelector(".stage").dataset.chapter === "result");
    await ready(driver);
  };
  await driver.press("Camera");
  await driver.wait(() => Number(document.getElementById("time").dataset.pictures) > 1);
  await leave();
  await track("ended");
  await back();
  await answer("later");
  await driver.press("Camera");
  await leave();
  await driver.evaluate(() => globalThis.allow());
  await track("ended");
  await back();

  // unplugged
  await answer("live");
  await driver.press("Camera");
  await driver.wait(() => Number(document.getElementById("time").dataset.pictures) > 1);
  await driver.evaluate(() => globalThis.stream.getVideoTracks()[0].stop());
  await driver.wait(() => document.querySelector(".message").textContent.includes("The camera has stopped"));
  await choose(driver, first);
  await driver.evaluate(() => clearInterval(globalThis.drawing));
}

async function withoutWebAssembly(driver) {
  await driver.open("review"); // which needs no network
  await texts(driver);
  await driver.evaluate(() => {
    delete globalThis.WebAssembly;
    location.hash = "result";
  });
  await driver.wait(() => document.querySelector(".message").textContent.includes("WebAssembly"));
  const shown = await pixels(driver, "input");
  assert.ok(shown.width > 1); // the picture is there all the same
}
