// A kernel whose weights are typed, and an answer for what is not a number.
import { el } from "./dom.js";
import { breadth, short } from "./grid.js";

const LARGEST = 99;

// What somebody typed → a number, or null. Knows 0.5, 0,5, −1 and 1/9.
export function numberFrom(text) {
  const plain = text.trim().replace("−", "-").replace(",", ".");
  const found = plain.match(/^([-+]?(?:\d+\.?\d*|\.\d+))(?:\s*\/\s*(\d+\.?\d*|\.\d+))?$/);
  if (!found) return null;
  const value = Number(found[1]) / Number(found[2] ?? 1);
  return Number.isFinite(value) ? value : null;
}

// Why a text cannot be taken, or "" if it can.
function complaint(text, value) {
  if (!text.trim()) return "The field is empty.";
  if (value === null) return `“${text.trim().slice(0, 20)}” is not a number.`;
  return Math.abs(value) > LARGEST ? `This page takes numbers between −${LARGEST} and ${LARGEST}.` : "";
}

const unfinished = (text) => /^\s*[-−+]?[.,]?\s*$|\/\s*$/.test(text); // "" or "−": more will follow

// One field: numberField("bias", value, { say, changed }). What cannot be taken is answered in a
// sentence; the number before it stays, and is shown again when the field is left.
export function numberField(name, value, { say, changed, ...attributes }) {
  let current = value;
  let spoken = false;
  const answer = (sentence) => {
    if (sentence || spoken) say(sentence);
    spoken = Boolean(sentence);
  };
  const read = (final) => {
    const next = numberFrom(input.value);
    const wrong = complaint(input.value, next);
    input.toggleAttribute("aria-invalid", Boolean(wrong));
    if (wrong) {
      if (final || !unfinished(input.value)) answer(`${wrong} The ${name} stays ${short(current, 4)}.`);
      if (final) input.set(current);
      return;
    }
    answer("");
    const news = next !== current;
    current = next;
    if (final) input.set(next); // 1/4 is shown as 0.25
    if (news) changed(next);
  };
  const input = el("input", {
    type: "text", inputmode: "decimal", autocomplete: "off", "aria-label": name, value: short(value, 4),
    class: "weight", oninput: () => read(false), onchange: () => read(true), ...attributes,
  });
  input.set = (next) => {
    current = next;
    input.value = short(next, 4);
    input.removeAttribute("aria-invalid");
  };
  return input;
}

// A table of fields: weights("kernel, channel 1", { say, changed }); `.draw(kernel, width, height)`
// shows a kernel { data, height, width }; `changed(place, value)` hears what was typed.
export function weights(name, { say, changed }) {
  const node = el("div", { class: "weights", role: "group", "aria-label": name });
  let fields = [];
  let shape = "";
  node.draw = (kernel, width, height) => {
    node.style.gridTemplateColumns = `repeat(${kernel.width}, ${width}px)`;
    node.style.gridAutoRows = `${height}px`;
    const longest = Math.max(...[...kernel.data].map((value) => breadth(short(value, 4))));
    node.style.fontSize = `min(1em, ${Math.max(11, (width - 3) / longest)}px)`;
    if (shape !== `${kernel.height} × ${kernel.width}`) {
      shape = `${kernel.height} × ${kernel.width}`;
      fields = [...kernel.data].map((value, place) => {
        const where = `row ${Math.floor(place / kernel.width) + 1}, column ${(place % kernel.width) + 1}`;
        return numberField(`weight in ${where}`, value, {
          say, changed: (next) => changed(place, next), "aria-label": `${name}, ${where}`, "data-place": place,
        });
      });
      node.replaceChildren(...fields);
      return;
    }
    // Not the field that somebody types into: "1." must not become "1".
    fields.forEach((field, place) => {
      if (field !== document.activeElement) field.set(kernel.data[place]);
    });
  };
  // Up and down between the rows, as in a table.
  node.addEventListener("keydown", (event) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!by) return;
    const columns = Number(shape.split(" × ")[1]);
    const next = fields[fields.indexOf(event.target) + by * columns];
    event.preventDefault();
    next?.focus();
    next?.select();
  });
  return node;
}
