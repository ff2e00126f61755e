// The autoencoder in the printed handout: high and thin at both ends, low and deep in the middle.
import { svg } from "./dom.js";

// smallHourglass(3, [[116, "latent map"]]): block 3 of 0–6 is filled; words stand at x below.
export function smallHourglass(filled, words) {
  const blocks = [[58, 6], [42, 12], [28, 20], [16, 34], [28, 20], [42, 12], [58, 6]];
  let x = 16;
  const drawn = blocks.map(([height, width], i) => {
    const fill = i === filled ? "currentColor" : "none";
    const rect = svg("rect", { x, y: 36 - height / 2, width, height, stroke: "currentColor", fill });
    x += width + 15;
    return rect;
  });
  const style = "font-size: 13px; fill: currentColor";
  const text = words.map(([at, word]) => svg("text", { x: at, y: 84, "text-anchor": "middle", style }, word));
  return svg("svg", { viewBox: "0 0 240 90" }, ...drawn, ...text);
}
