// A picture of any size through the same weights.
import { button, canvas, clamp, controls, el, figure, slider, svg } from "../ui/dom.js";
import { argmax, overlay, show } from "../ui/draw.js";
import { count, sizes } from "../ui/counts.js";
import { maps } from "../network/predict.js";
import { mapsOf } from "../network/fields.js";
import { movable } from "../ui/move.js";
import { newest } from "../ui/newest.js";
import { picker } from "../ui/picker.js";

const [HIGHEST, WIDEST] = [320, 640]; // pixels
const PRESETS = [[160, 576], [97, 131], [32, 500], [1, 1]];
const TINY = 40; // pixels: smaller pictures are shown enlarged as well

// The layers to show the sizes of: behind the pooling layers, or else the first at each scale.
function stagesOf(graph, model) {
  const pools = ["pool3", "pool4", "pool5"].filter((name) => name in graph.models[model]);
  if (pools.length === 3) return pools;
  const whole = Object.entries(mapsOf(graph, model, 512, 512));
  return [8, 16, 32]
    .map((stride) => whole.find(([, { height }]) => height === 512 / stride)?.[0]).filter(Boolean);
}

// How large a picture is at the start: its own size, or smaller with the same proportions.
function startOf({ height, width }) {
  const scale = Math.min(1, HIGHEST / height, WIDEST / width);
  return [height, width].map((side) => Math.max(1, Math.round(side * scale)));
}

// The middle of a picture that fills another size, with the picture's own proportions.
export function cut(image, width, height) {
  const [from, to] = [image, { width, height }].map((size) =>
    Object.assign(document.createElement("canvas"), { width: size.width, height: size.height }));
  from.getContext("2d").putImageData(image, 0, 0);
  const scale = Math.min(image.width / width, image.height / height);
  const [across, down] = [width * scale, height * scale];
  const context = to.getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(from, (image.width - across) / 2, (image.height - down) / 2, across, down, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

// A map as cells over the picture: where a side is no multiple, the last cells stick out.
function cellsOf({ height, width }, picture, stride) {
  const lines = [];
  const line = (x1, y1, x2, y2) => lines.push(`M${x1} ${y1}L${x2} ${y2}`);
  for (let x = 0; x <= width; x += 1) line(x * stride, 0, x * stride, height * stride);
  for (let y = 0; y <= height; y += 1) line(0, y * stride, width * stride, y * stride);
  return svg("svg", { class: "cells", viewBox: `-4 -4 ${WIDEST + 8} ${HIGHEST + 8}`, "aria-hidden": "true" },
    svg("rect", { ...picture, class: "pixels" }), svg("path", { d: lines.join("") }));
}

export function anySize(place, { page, say }) {
  const { graph } = page.contents;
  const model = page.networks.result;
  const layers = stagesOf(graph, model);
  const whole = mapsOf(graph, model, 512, 512); // tells by how much each layer is smaller
  let [height, width] = page.contents.size ?? PRESETS[0];
  [height, width] = [Math.min(height, HIGHEST), Math.min(width, WIDEST)];
  let asked = 0;
  let current = null; // the picture that is looked at

  const out = canvas("The picture with what the network found", 1, 1, { id: "sized" });
  const handle = button("◢", () => {}, { class: "corner", "aria-label": "Corner: arrow keys change width and height" });
  const large = canvas("The same, enlarged");
  const enlarged = figure(large, "enlarged", { class: "enlarged", hidden: true });
  const area = el("div", { class: "area" }, out, handle, enlarged);
  const sides = {
    height: slider("Height", { min: 1, max: HIGHEST, value: height }, (value) => resize(width, value)),
    width: slider("Width", { min: 1, max: WIDEST, value: width }, (value) => resize(value, height)),
  };
  const presets = PRESETS.map((sizeOf) => button(sizes(...sizeOf), () => resize(sizeOf[1], sizeOf[0])));
  const fact = (name, id) => {
    const value = el("dd", { class: "read", id });
    return { row: [el("dt", {}, name), value], value };
  };
  const [given, weights, answered] = [
    fact("Picture", "given-size"), fact("Weights", "weight-count"), fact("Answer", "answer-size"),
  ];
  const parameters = page.contents.layers.reduce((sum, layer) => sum + layer.parameters, 0);
  weights.value.textContent = `${count(parameters)}, always`;
  const scales = el("div", { class: "scales" });
  const edges = el("p", { class: "quiet", id: "edges" });
  const spoken = el("p", { class: "hidden", "aria-live": "polite" });
  const choices = picker(page, say);

  movable(handle, {
    from: () => [width, height], to: resize, large: 16,
    scale: () => area.getBoundingClientRect().width / WIDEST,
  });

  function resize(wantedWidth, wantedHeight) {
    width = clamp(wantedWidth, 1, WIDEST);
    height = clamp(wantedHeight, 1, HIGHEST);
    sides.height.set(height);
    sides.width.set(width);
    render();
    ask();
  }

  // What the graph alone tells, at once: the sizes on the way.
  function render() {
    given.value.textContent = sizes(height, width, 3);
    const found = mapsOf(graph, model, height, width);
    const strides = Object.fromEntries(layers.map((name) => [name, 512 / whole[name].height]));
    scales.replaceChildren(...layers.map((name) => el("figure", { "data-layer": name },
      el("figcaption", { class: "read" }, `${name} (1/${strides[name]}): ${sizes(found[name].height, found[name].width)}`),
      cellsOf(found[name], { width, height }, strides[name]))));
    const over = layers.some((name) => height % strides[name] || width % strides[name]);
    edges.textContent = `Maps inside the network: ${layers.map((name) => `1/${strides[name]}`).join(", ")} of height and width.`
      + (over ? " Each is rounded up: what is not coloured sticks out beyond the picture." : "");
    Object.assign(handle.style, { left: `${(100 * width) / WIDEST}%`, top: `${(100 * height) / HIGHEST}%` });
    area.classList.add("busy");
  }

  const ask = newest(async (_, wanted) => {
    const picture = await page.picture();
    if (!wanted()) return;
    if (picture !== current) start(picture);
    const image = cut(picture.image, width, height);
    if (out.dataset.picture !== picture.id) sketch(image);
    const network = await page.network();
    if (!wanted()) return;
    const { output } = maps(network, model, image);
    sketch(overlay(image, argmax(output), page.colours));
    answered.value.textContent = sizes(output.height, output.width, output.channels);
    asked += 1;
    Object.assign(out.dataset, { runs: asked, picture: picture.id });
    spoken.textContent = `Answer: ${output.height} by ${output.width}`;
    area.classList.remove("busy");
  }, (error) => {
    area.classList.remove("busy");
    say(error.message);
  });

  // Another picture comes in its own size, unless the network wants one size.
  function start(picture) {
    current = picture;
    if (!page.contents.size) [height, width] = startOf(picture.image);
    sides.height.set(height);
    sides.width.set(width);
    render();
  }

  function sketch(image) {
    show(out, image);
    out.style.width = `${(100 * image.width) / WIDEST}%`;
    const tiny = Math.max(image.width, image.height) <= TINY;
    enlarged.hidden = !tiny;
    if (tiny) show(large, image);
  }

  place.append(
    el("div", { class: "sizing" }, area,
      el("div", { class: "sides" }, sides.height, sides.width, controls(...presets),
        el("dl", {}, ...given.row, ...weights.row, ...answered.row),
        el("p", { class: "quiet" }, "The page cuts and scales a picture, only to have one of this size. The network needs no resizing."))),
    el("div", { class: "inside" }, scales, edges), choices, spoken,
  );
  render();
  ask();
  const changed = () => ask();
  page.addEventListener("picture", changed);
  return {
    stop() {
      ask.stop();
      choices.stop();
      page.removeEventListener("picture", changed);
    },
  };
}
