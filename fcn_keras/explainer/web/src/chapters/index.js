// The chapters in the lecture's order. Each is a screen: a question, one thing to do, a sentence.
import convolution from "./convolution.js";
import fully from "./fully.js";
import review from "./review.js";
import transposed from "./transposed.js";

export const CHAPTERS = [
  review,
  convolution,
  transposed,
  fully,
];
