// The chapters in the lecture's order. Each is a screen: a question, one thing to do, a sentence.
import review from "./review.js";
import convolution from "./convolution.js";
import tasks from "./tasks.js";
import autoencoder from "./autoencoder.js";
import fromCae from "./from-cae.js";
import transposed from "./transposed.js";
import fully from "./fully.js";
import pixel from "./pixel.js";
import skips from "./skips.js";
import architecture from "./architecture.js";
import training from "./training.js";
import paint from "./paint.js";
import result from "./result.js";

export const CHAPTERS = [
  review,
  convolution,
  tasks,
  autoencoder,
  fromCae,
  transposed,
  fully,
  pixel,
  skips,
  architecture,
  training,
  paint,
  result,
];
