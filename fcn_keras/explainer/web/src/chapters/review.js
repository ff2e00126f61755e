// An image is numbers: zoom in until they can be read; three tables together are the picture (L01, L02).
import { canvas, clamp, drawn, el, slider, svg, toggle } from "../ui/dom.js";
import { pointed, show } from "../ui/draw.js";
import { picker } from "../ui/picker.js";

const CHANNELS = ["red", "green", "blue"];
const CLOSEST = 3.2; // em a pixel: three lines of numbers fit into it, with air around
const READABLE = 2.3; // em a pixel from which one number fits

export default {
  id: "review",
  title: "Review: an image is numbers",
  claims: ["L01", "L02"],
  minutes: 4,
  question: {
    ask: "A colour picture is 400 pixels wide and 300 pixels high. How many numbers does a computer store "
      + "for it?",
    answers: ["120,000", "360,000", "It depends on how many colours are in it"],
    right: 1,
    because: "Three numbers a pixel, for red, green and blue. Height × width × channels: 300 × 400 × 3.",
  },
  todo: "Choose a place and zoom in until you can read the numbers. Then move the sliders red, green and "
    + "blue.",
  sentence: "An image is a table of numbers, height × width × channels: one for grey, three for colour.",
  notes: [
    "Ask first where a computer has to see: counting cells, reading a number plate, driving. Which of these "
      + "needs an answer for every pixel?",
    "Zoom into an edge. The jump in the numbers is what an edge detector will look for in the next chapter.",
    "Set red and green to 0: what is left is the blue table, not “the blue things”. White is large in all "
      + "three.",
    "A usual misconception: a channel has a colour. It is a table of brightness; the screen gives it the "
      + "colour.",
    "Arrays count rows first: image[row, column], from the top left corner.",
  ],
  drawing,
  build,
};

function build(stage, { page, say }) {
  const factors = [1, 1, 1];
  let picture = null;
  let grey = false;
  let zoom = null; // 0: the whole picture, 1: a few pixels; null: not chosen yet
  let chosen = { x: 0, y: 0 };
  let hovered = null;
  let frame = null; // the pixels that are seen: { x, y, width, height, scale }
  let wanted = 0;

  const views = ["mixed", ...CHANNELS].map((name, i) => view(name, i === 0));
  const zoomed = slider("zoom", { min: 0, max: 1, step: 0.02, value: 0, shown: () => sizeInWords() },
    (value) => { zoom = value; recentre(); draw(); });
  const sliders = CHANNELS.map((name, c) =>
    slider(name, { min: 0, max: 2, step: 0.1, value: 1, shown: (value) => `× ${value.toFixed(1)}` },
      (value) => { factors[c] = value; draw(); }));
  const overview = canvas("The whole picture and what is seen of it", 1, 1, { class: "overview smooth" });
  const window_ = svg("rect", { class: "frame" });
  const around = svg("svg", { class: "over", "aria-hidden": "true", preserveAspectRatio: "none" }, window_);
  const reading = el("p", { class: "read reading", role: "status", "aria-live": "polite" });
  const swatch = el("span", { class: "swatch", "aria-hidden": "true" });
  const total = el("p", { class: "read total" });
  const inGrey = toggle("grey channels", false, (value) => { grey = value; draw(); });
  const pictures = picker(page, say);

  overview.addEventListener("click", (event) => { place(pointed(overview, event)); recentre(); draw(); });
  stage.append(
    pictures,
    el("div", { class: "place" },
      el("div", { class: "map" }, overview, around),
      el("div", { class: "facts" }, total, reading)),
    el("div", { class: "views" },
      figureOf(views[0], [zoomed, inGrey]),
      ...CHANNELS.map((_, c) => figureOf(views[c + 1], [sliders[c]]))));

  function view(name, keys) {
    const what = keys ? "The picture" : `Channel ${name}`;
    const pixels = canvas(`${what}, the part that is seen`);
    const over = svg("svg", { class: "over", "aria-hidden": "true" });
    const node = el("div", {
      class: "view", "data-view": name, tabindex: keys ? 0 : null, "data-keys": keys ? "" : null,
      role: keys ? "application" : null,
      "aria-label": keys ? "The picture. Arrow keys choose a pixel, + and − zoom." : null,
    }, pixels, over);
    const under = (event) => {
      const { x, y } = pointed(pixels, event);
      return { x: frame.x + x, y: frame.y + y };
    };
    // What was read is what is chosen: a click's place is rounded, that of a move is not.
    pixels.addEventListener("click", (event) => { if (frame) { place(hovered ?? under(event)); draw(); } });
    pixels.addEventListener("pointermove", (event) => {
      if (!frame || event.pointerType !== "mouse") return;
      hovered = under(event);
      draw();
    });
    pixels.addEventListener("pointerleave", () => { hovered = null; draw(); });
    if (keys) node.addEventListener("keydown", key);
    return { name, node, pixels, over };
  }

  function key(event) {
    const far = event.shiftKey ? 10 : 1;
    const by = {
      ArrowLeft: [-far, 0], ArrowRight: [far, 0], ArrowUp: [0, -far], ArrowDown: [0, far],
    }[event.key];
    if (!picture || event.ctrlKey || event.metaKey || event.altKey) return;
    if (by) {
      place({ x: chosen.x + by[0], y: chosen.y + by[1] });
      hovered = null;
    } else if (event.key === "+" || event.key === "-" || event.key === "−") {
      zoom = clamp(zoom + (event.key === "+" ? 0.1 : -0.1), 0, 1);
      zoomed.set(zoom);
      recentre();
    } else return;
    event.preventDefault();
    draw();
  }

  // Chooses a pixel; the part that is seen moves along only if it would lose sight of it.
  function place({ x, y }) {
    const { width, height } = picture.image;
    chosen = { x: clamp(x, 0, width - 1), y: clamp(y, 0, height - 1) };
    if (!frame) return;
    frame.x = clamp(frame.x, chosen.x - frame.width + 1, chosen.x);
    frame.y = clamp(frame.y, chosen.y - frame.height + 1, chosen.y);
  }

  // The part that is seen, around the chosen pixel, in whole pixels of the picture.
  function recentre() {
    if (!picture) return;
    const { width, height } = picture.image;
    const { clientWidth: wide, clientHeight: high } = views[0].node;
    if (!wide || !high) return; // not laid out yet, as in a notebook's frame: the observer comes again
    const em = parseFloat(getComputedStyle(stage).fontSize);
    const whole = Math.min(wide / width, high / height);
    const range = Math.max(whole, CLOSEST * em) / whole;
    if (zoom === null) { // at first the picture fills its place; the small one beside shows the whole
      const filling = Math.max(wide / width, high / height) / whole;
      zoom = range > 1 ? clamp(Math.log(filling) / Math.log(range), 0, 1) : 0;
      zoomed.set(zoom);
    }
    const scale = whole * range ** zoom;
    const columns = clamp(Math.floor(wide / scale + 0.05), 1, width);
    const rows = clamp(Math.floor(high / scale + 0.2), 1, height);
    frame = {
      width: columns, height: rows, scale: Math.min(wide / columns, high / rows),
      x: clamp(chosen.x - Math.floor(columns / 2), 0, width - columns),
      y: clamp(chosen.y - Math.floor(rows / 2), 0, height - rows),
    };
  }

  function sizeInWords() {
    return frame ? `${frame.height} × ${frame.width}` : "";
  }

  function draw() {
    wanted ||= requestAnimationFrame(() => { wanted = 0; if (picture) render(); });
  }

  function valueOf(channel, x, y) {
    return picture.image.data[4 * (y * picture.image.width + x) + channel];
  }
  const scaledBy = (channel, value) => Math.min(255, Math.round(factors[channel] * value));

  // The part that is seen, as a view shows it.
  function painted(name) {
    const { data, width } = picture.image;
    const out = new ImageData(frame.width, frame.height);
    const scaled = factors.map((_, c) => Uint8Array.from({ length: 256 }, (_, value) => scaledBy(c, value)));
    const only = CHANNELS.indexOf(name); // −1: all three
    for (let row = 0; row < frame.height; row += 1) {
      for (let column = 0; column < frame.width; column += 1) {
        const from = 4 * ((frame.y + row) * width + frame.x + column);
        const to = 4 * (row * frame.width + column);
        for (let c = 0; c < 3; c += 1) {
          const channel = only >= 0 && grey ? only : c;
          if (only < 0 || channel === only) out.data[to + c] = scaled[channel][data[from + channel]];
        }
        out.data[to + 3] = 255;
      }
    }
    return out;
  }

  function render() {
    if (!frame) return; // there is no room yet
    const em = parseFloat(getComputedStyle(stage).fontSize);
    const at = hovered ?? chosen;
    const [wide, high] = [frame.width * frame.scale, frame.height * frame.scale];
    for (const { name, pixels, over } of views) {
      const image = painted(name);
      show(pixels, image);
      pixels.classList.toggle("smooth", frame.scale < 1);
      for (const { style } of [pixels, over]) {
        style.width = `${wide}px`;
        style.height = `${high}px`;
      }
      over.setAttribute("viewBox", `0 0 ${wide} ${high}`);
      over.replaceChildren(...writings(name, image, em), ...mark(at, em));
    }
    tell(at);
  }

  // The numbers in the pixels, where there is room for them.
  function writings(name, image, em) {
    const shown = name === "mixed" ? [0, 1, 2] : [CHANNELS.indexOf(name)];
    if (frame.scale < (shown.length === 3 ? 0.92 * CLOSEST : READABLE) * em) return [];
    return Array.from({ length: frame.width * frame.height }, (_, i) => {
      const [x, y] = [i % frame.width, Math.floor(i / frame.width)];
      const numbers = shown.map((c) => scaledBy(c, valueOf(c, frame.x + x, frame.y + y)));
      return writing(x, y, image.data.subarray(4 * i, 4 * i + 3), numbers, em);
    });
  }

  // Black or white, whichever stands out.
  function writing(column, row, [r, g, b], numbers, em) {
    const { scale } = frame;
    const size = (numbers.length === 3 ? 0.835 : 1) * em;
    const line = 1.15 * size;
    const middle = (row + 0.5) * scale - ((numbers.length - 1) * line) / 2;
    const kind = luminance(r, g, b) > 0.18 ? "light" : "dark";
    return svg("g", { class: kind, "data-x": frame.x + column, "data-y": frame.y + row },
      svg("rect", { class: "rim", x: column * scale, y: row * scale, width: scale, height: scale }),
      ...numbers.map((number, i) => svg("text", {
        x: (column + 0.5) * scale, y: middle + i * line, dy: "0.35em", "text-anchor": "middle",
        style: `font-size: ${size}px`,
      }, String(number))));
  }

  // A frame around a pixel, never too small to be seen.
  function mark({ x, y }, em) {
    const side = Math.max(frame.scale, 0.6 * em);
    const corner = (place) => (place + 0.5) * frame.scale - side / 2;
    const box = { x: corner(x - frame.x), y: corner(y - frame.y), width: side, height: side };
    return [svg("rect", { class: "mark outer", ...box }), svg("rect", { class: "mark inner", ...box })];
  }

  function tell({ x, y }) {
    const { width, height } = picture.image;
    const raw = CHANNELS.map((_, c) => valueOf(c, x, y));
    const mixed = raw.map((value, c) => scaledBy(c, value));
    const words = CHANNELS.map((name, c) => `${name} ${raw[c]}`);
    const scaled = factors.some((factor) => factor !== 1);
    swatch.style.background = `rgb(${mixed.join(" ")})`;
    reading.replaceChildren(swatch, el("strong", {}, `image[${y}, ${x}]`),
      ` = ${words.join(", ")}${scaled ? `; shown: ${mixed.join(", ")}` : ""}`);
    total.textContent = `${height} rows × ${width} columns × 3 channels = `
      + `${(3 * height * width).toLocaleString("en")} numbers`;
    // The frame in the whole picture stays large enough to be seen.
    const [wide, high] = [Math.max(frame.width, width / 16), Math.max(frame.height, height / 8)];
    Object.entries({
      x: frame.x + (frame.width - wide) / 2, y: frame.y + (frame.height - high) / 2,
      width: wide, height: high,
    }).forEach(([name, value]) => window_.setAttribute(name, value));
    zoomed.querySelector("output").textContent = sizeInWords();
    zoomed.input.setAttribute("aria-valuetext", `${sizeInWords()} pixels`);
  }

  let asked = 0;
  async function load() {
    const turn = (asked += 1);
    const next = await page.picture();
    if (turn !== asked) return; // another picture was chosen meanwhile
    const { image } = next;
    const same = picture && picture.image.width === image.width && picture.image.height === image.height;
    picture = next;
    hovered = null;
    if (!same) chosen = { x: image.width >> 1, y: image.height >> 1 };
    show(overview, image);
    around.setAttribute("viewBox", `0 0 ${image.width} ${image.height}`);
    frame = null;
    recentre();
    render();
  }
  const changed = () => load().catch((error) => say(error.message));
  const observer = new ResizeObserver(() => { if (picture) { recentre(); draw(); } });
  observer.observe(views[0].node);
  page.addEventListener("picture", changed);
  changed();
  return {
    stop() {
      asked += 1;
      cancelAnimationFrame(wanted);
      observer.disconnect();
      page.removeEventListener("picture", changed);
      pictures.stop();
    },
  };
}

const figureOf = ({ node }, above) => el("figure", {}, el("div", { class: "above" }, ...above), node);

// Relative luminance, 0–1, as the guidelines for contrast define it.
function luminance(...colour) {
  const [r, g, b] = colour.map((value) => {
    const part = value / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

// Four pixels, and the three tables that they are made of.
function drawing() {
  const pixels = [[200, 60, 20], [240, 200, 40], [40, 90, 200], [250, 250, 245]];
  const text = (x, y, size, words) =>
    svg("text", { x, y, "text-anchor": "middle", style: `font-size: ${size}px; fill: #000` }, words);
  const square = (left, top, side, i, fill) => svg("rect", {
    x: left + side * (i % 2), y: top + side * Math.floor(i / 2), width: side, height: side,
    fill, stroke: "#555",
  });
  return drawn("Four pixels and their three tables",
    ...pixels.map((pixel, i) => square(2, 14, 26, i, `rgb(${pixel.join(" ")})`)),
    text(67, 44, 16, "="),
    ...CHANNELS.flatMap((name, c) => [
      ...pixels.flatMap((pixel, i) => {
        const left = 80 + 54 * c;
        return [
          square(left, 14, 25, i, "#fff"),
          text(left + 25 * (i % 2) + 12.5, 14 + 25 * Math.floor(i / 2) + 17, 11, String(pixel[c])),
        ];
      }),
      text(105 + 54 * c, 80, 12, name),
    ]));
}
