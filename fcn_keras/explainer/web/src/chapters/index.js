// The chapters in the lecture's order. Each is a screen: a question, one thing to do, a sentence.
import architecture from "./architecture.js";
import fully from "./fully.js";
import pixel from "./pixel.js";
import skips from "./skips.js";
import training from "./training.js";

export const CHAPTERS = [
  fully,
  pixel,
  skips,
  architecture,
  training,
];
