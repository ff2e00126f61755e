// Play and Step: through numbered places, one after the other.
import { button, el } from "./dom.js";

const still = matchMedia("(prefers-reduced-motion: reduce)");

// walk({ count, place, go, pause }): the element, with `.pause()` and `.stop()`.
//   count(): how many places there are; place(): where it is now; go(place)
// Who wants no motion gets Step alone.
export function walk({ count, place, go, pause = 500 }) {
  let timer = null;
  const halt = () => {
    clearInterval(timer);
    timer = null;
    play.textContent = "Play";
  };
  const step = (by) => {
    if (count()) go((place() + by + count()) % count());
  };
  const tick = () => {
    if (place() >= count() - 1) halt();
    else step(1);
  };
  const toggle = () => {
    if (timer) {
      halt();
      return;
    }
    if (place() >= count() - 1 && count()) go(0);
    timer = setInterval(tick, pause);
    play.textContent = "Pause";
  };
  const play = button("Play", toggle, { class: "main" });
  const quiet = () => {
    play.hidden = still.matches;
    if (still.matches) halt();
  };
  const node = el("div", { class: "walk" },
    play,
    button("‹ Back", () => { halt(); step(-1); }),
    button("Step ›", () => { halt(); step(1); }));
  quiet();
  still.addEventListener("change", quiet);
  node.pause = halt;
  node.stop = () => {
    halt();
    still.removeEventListener("change", quiet);
  };
  return node;
}
