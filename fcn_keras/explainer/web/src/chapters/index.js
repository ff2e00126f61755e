// The chapters in the lecture's order. Each is a screen: a question, one thing to do, a sentence.
import tasks from "./tasks.js";
import autoencoder from "./autoencoder.js";
import fromCae from "./from-cae.js";
import fully from "./fully.js";
import paint from "./paint.js";
import result from "./result.js";

export const CHAPTERS = [
  tasks,
  autoencoder,
  fromCae,
  fully,
  paint,
  result,
];
