// How well labels agree with the truth.

const VOID = 255;

// Pixel accuracy and the IoU of each class. Pixels that are void in the truth are not counted; a
// label that is none of the classes is a mistake.
// Returns { accuracy, iou: [a number, or null for a class that neither map has] }.
export function scoresOf(found, truth, classes) {
  const count = () => new Float64Array(classes);
  const [both, either] = [count(), count()];
  let [right, all] = [0, 0];
  for (let i = 0; i < truth.length; i += 1) {
    if (truth[i] === VOID) continue;
    all += 1;
    either[truth[i]] += 1;
    if (found[i] === truth[i]) {
      right += 1;
      both[truth[i]] += 1;
    } else if (found[i] < classes) {
      either[found[i]] += 1;
    }
  }
  return {
    accuracy: all ? right / all : null,
    iou: Array.from(both, (pixels, k) => (either[k] ? pixels / either[k] : null)),
  };
}
