// Fully convolutional: the same weights, whatever the size of the picture (L14, L15).
import { canvas, figure, slider } from "../ui/dom.js";
import { argmax, overlay, show } from "../ui/draw.js";
import { maps } from "../network/predict.js";
import { resized } from "../pictures.js";

export default {
  id: "fully",
  title: "Fully convolutional",
  claims: ["L14", "L15"],
  minutes: 4,
  question: { ask: "Which sizes of picture can the network take?", answers: ["Only the size it was trained on", "Any size"], right: 1, because: "No layer counts the pixels." },
  todo: "Drag the size.",
  sentence: "A network of convolutions takes a picture of any size and answers in that size.",
  notes: [],
  build(stage, { page, say }) {
    const out = canvas("The picture with what the network found", 10, 10, { class: "wide" });
    let height = 160;
    const draw = async () => {
      const { image } = await page.picture();
      const network = await page.network();
      const small = resized(image, Math.round(image.width * height / image.height), height);
      const { output } = maps(network, page.networks.result, small);
      show(out, overlay(small, argmax(output), page.colours));
    };
    stage.append(slider("height", { min: 1, max: 300, value: 160 }, (v) => { height = v; draw(); }), figure(out, "found"));
    draw().catch((error) => say(error.message));
    return { stop() {} };
  },
};
