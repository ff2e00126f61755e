// Small helpers to build what is on a screen. Every control has a label that is read aloud.

// el("button", { class: "quiet", onclick }, "Again"): an element with attributes and children.
export function el(tag, attributes = {}, ...children) {
  return filled(document.createElement(tag), attributes, children);
}

// The same for SVG: svg("rect", { x: 0, y: 0, width: 10, height: 10 }).
export function svg(tag, attributes = {}, ...children) {
  return filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);
}

function filled(node, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

let numbers = 0;
export const newId = (stem) => `${stem}-${(numbers += 1)}`;

// A slider with its name and its value: slider("stride", { min: 1, max: 4, value: 2 }, onChange).
// `shown` turns the value into text. Returns the element, with `.value` and `.set(value)`.
export function slider(name, { min, max, step = 1, value, shown = String }, onChange) {
  const id = newId("slider");
  const output = el("output", { for: id }, shown(value));
  const input = el("input", { type: "range", id, min, max, step, value });
  const box = el("div", { class: "slider" }, el("label", { for: id }, name), input, output);
  const read = () => Number(input.value);
  input.addEventListener("input", () => {
    output.textContent = shown(read());
    input.setAttribute("aria-valuetext", shown(read()));
    onChange(read());
  });
  input.setAttribute("aria-valuetext", shown(value));
  Object.defineProperty(box, "value", { get: read });
  box.input = input;
  box.set = (next) => {
    input.value = next;
    output.textContent = shown(read());
    input.setAttribute("aria-valuetext", shown(read()));
  };
  return box;
}

// One of several: choice("padding", ["valid", "same"], "valid", onChange). Radio buttons that look
// like one bar; `options` may be pairs [value, text]. Returns the element, with `.value`, `.set`.
export function choice(name, options, value, onChange) {
  const group = newId("choice");
  const pairs = options.map((option) => (Array.isArray(option) ? option : [option, String(option)]));
  const inputs = pairs.map(([given]) =>
    el("input", {
      type: "radio", name: group, value: String(given), id: newId("option"),
      checked: given === value, onchange: () => { current = given; onChange(given); },
    }));
  let current = value;
  const labels = pairs.map(([, text], i) =>
    el("span", { class: "option" }, inputs[i], el("label", { for: inputs[i].id }, text)));
  const box = el("fieldset", { class: "choice" }, el("legend", {}, name), ...labels);
  Object.defineProperty(box, "value", { get: () => current });
  box.set = (next) => {
    current = next;
    pairs.forEach(([given], i) => { inputs[i].checked = given === next; });
  };
  return box;
}

// On or off: toggle("skip from pool4", true, onChange). Returns the element, with `.value`, `.set`.
export function toggle(name, value, onChange) {
  const id = newId("toggle");
  const input = el("input", {
    type: "checkbox", role: "switch", id, checked: value, onchange: () => onChange(input.checked),
  });
  const box = el("div", { class: "toggle" }, input, el("label", { for: id }, name));
  Object.defineProperty(box, "value", { get: () => input.checked });
  box.set = (next) => { input.checked = next; };
  return box;
}

// A button: button("Step", onClick, { class: "main" }).
export const button = (text, onclick, attributes = {}) =>
  el("button", { type: "button", onclick, ...attributes }, text);

// A row of controls.
export const controls = (...children) => el("div", { class: "controls" }, ...children);

// A canvas with what a screen reader says instead. `width` and `height` in its own pixels.
export function canvas(label, width = 1, height = 1, attributes = {}) {
  return el("canvas", { role: "img", "aria-label": label, width, height, ...attributes });
}

// A canvas or an SVG with a caption below.
export const figure = (content, caption, attributes = {}) =>
  el("figure", attributes, content, el("figcaption", {}, caption));

// A number for people: three significant digits, a real minus sign.
export function number(value, digits = 2) {
  if (!Number.isFinite(value)) return String(value);
  return value.toFixed(digits).replace("-", "−");
}

export const percent = (value, digits = 0) => `${number(100 * value, digits)} %`;
export const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

// The handout's small drawing of a chapter, 240 × 90, black on white.
export const drawn = (label, ...children) =>
  svg("svg", { viewBox: "0 0 240 90", width: 240, height: 90, role: "img", "aria-label": label }, ...children);
