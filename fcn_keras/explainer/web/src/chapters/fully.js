// Fully convolutional: the same weights, whatever the size of the picture (L14, L15).
import { choice, el, svg } from "../ui/dom.js";
import { anySize } from "./fully-size.js";
import { folding } from "./fully-fold.js";

const PARTS = { size: anySize, fold: folding };

function build(stage, tools) {
  const place = el("div", { class: "part" });
  let part = null;
  const open = (name) => {
    part?.stop();
    place.replaceChildren();
    place.dataset.part = name;
    part = PARTS[name](place, tools);
  };
  const names = [["size", "Any size"], ["fold", "A dense layer folds into a convolution"]];
  stage.append(choice("Show", names, "size", open), place);
  open("size");
  return { stop: () => part.stop() };
}

// A vector of nine weights, and the kernel that it folds into.
function drawing() {
  const cell = (x, y, shade) => svg("rect", {
    x, y, width: 14, height: 14, stroke: "currentColor", fill: "currentColor", "fill-opacity": shade,
  });
  const shades = [0.1, 0.5, 0.2, 0.7, 0.05, 0.35, 0.6, 0.15, 0.8];
  const text = (x, y, words) => svg("text", { x, y, "text-anchor": "middle", style: "font-size: 13px; fill: currentColor" }, words);
  return svg("svg", { viewBox: "0 0 240 90" },
    ...shades.map((shade, i) => cell(6 + 14 * i, 26, shade)),
    ...shades.map((shade, i) => cell(186 + 14 * (i % 3), 12 + 14 * Math.floor(i / 3), shade)),
    text(158, 38, "→"), text(69, 74, "dense layer: 9 inputs"), text(202, 74, "any size"));
}

export default {
  id: "fully",
  title: "Fully convolutional",
  claims: ["L14", "L15"],
  minutes: 5,
  question: {
    ask: "A convolutional network was trained on one picture size. What happens with 97 × 131 pixels (height × width)?",
    answers: ["It must be trained again", "The picture must be resized", "It answers, in that size"],
    right: 2,
    because: "A kernel is as large as its window, whatever it slides over. Only a dense layer has a weight per input.",
  },
  todo: "Drag the corner: what stays the same? Then fold a dense layer: press “kernel” and enlarge the input.",
  sentence: "Without a dense layer, the same weights take a picture of any size and answer in that size.",
  notes: [
    "Ask which number in the network could possibly depend on the picture’s size. (Only a dense layer’s.)",
    "97 × 131 are primes. Every halving rounds up, so the last map is a little too large for the picture; what sticks out is cut off at the end.",
    "Any size is possible, but not equally good: far from the sizes of the training, objects look larger or smaller than any that it has seen.",
    "Fold the nine weights. On 3 × 3 both give one and the same number; on a larger input only the kernel still works.",
    "A usual misconception: a 1 × 1 picture must fail. It does not: padding fills the windows, and there is an answer for its one pixel.",
  ],
  drawing,
  build,
};
