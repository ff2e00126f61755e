// What one moves: with the mouse, a finger, a pen or the arrow keys; and cells that one walks over.

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

// Makes an element movable.
//   from(): [x, y], where it is, in whatever unit; to(x, y): it is wanted there, whole numbers
//   scale(): CSS pixels of one unit; large: units of a step with the shift key
export function movable(node, { from, to, scale = () => 1, large = 8 }) {
  let grip = null; // where it was taken, and where it was then
  node.dataset.keys = "";
  node.style.touchAction = "none";
  node.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    grip = { x: event.clientX, y: event.clientY, from: from(), scale: scale() };
    node.setPointerCapture(event.pointerId);
    node.focus({ preventScroll: true });
    event.preventDefault();
  });
  node.addEventListener("pointermove", (event) => {
    if (!grip) return;
    const along = (at, start, axis) => Math.round(grip.from[axis] + (at - start) / grip.scale);
    to(along(event.clientX, grip.x, 0), along(event.clientY, grip.y, 1));
  });
  for (const end of ["pointerup", "pointercancel", "lostpointercapture"]) {
    node.addEventListener(end, () => { grip = null; });
  }
  node.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key];
    if (!arrow || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const [x, y] = from();
    const step = event.shiftKey ? large : 1;
    to(x + step * arrow[0], y + step * arrow[1]);
  });
  return node;
}

// Cells in rows, one stop of the tab key: the arrow keys walk over them.
//   columns(): how many cells stand in a row; visit(cell): the focus has come to it
export function walkable(box, columns, visit = () => {}) {
  const cells = () => [...box.children];
  box.dataset.keys = "";
  box.addEventListener("keydown", (event) => {
    const here = cells().indexOf(event.target);
    const arrow = ARROWS[event.key];
    if (here < 0 || (!arrow && event.key !== "Home" && event.key !== "End")) return;
    event.preventDefault();
    const last = cells().length - 1;
    const there = arrow ? here + arrow[0] + arrow[1] * columns() : event.key === "Home" ? 0 : last;
    if (there >= 0 && there <= last) cells()[there].focus();
  });
  box.addEventListener("focusin", ({ target }) => {
    if (target.parentElement !== box) return;
    cells().forEach((cell) => { cell.tabIndex = cell === target ? 0 : -1; });
    visit(target);
  });
  box.restart = () => cells().forEach((cell, i) => { cell.tabIndex = i === 0 ? 0 : -1; });
  box.restart();
  return box;
}
