// Convolutional autoencoder: a picture through a narrow place and back (L10, L11).
import { button, canvas, controls, el, figure, number, slider } from "../ui/dom.js";
import { smallHourglass } from "../ui/handout-hourglass.js";
import { channelOf, sequential, show } from "../ui/draw.js";
import { count, sizes, some } from "../ui/counts.js";
import { mapOf, tensorOf } from "../network/predict.js";
import { newest } from "../ui/newest.js";
import { picker } from "../ui/picker.js";
import { walkable } from "../ui/move.js";

const LATENT = "conv3";
const WORST = 64; // difference that is drawn brightest, of 255
const DARK = 0.75; // share of the picture's brightness: below it, the reader is told why

// --- what is computed

function latentOf(network, model, image) {
  const { tf } = network;
  return tf.tidy(() => mapOf(network.run(model, [LATENT], { image: tensorOf(tf, image) })[LATENT]));
}

// What the second half makes of a latent map of which some channels are taken away.
function decoded(network, model, image, latent, on) {
  const { tf } = network;
  const kept = latent.data.map((value, i) => (on.has(i % latent.channels) ? value : 0));
  return tf.tidy(() => mapOf(network.run(model, ["reconstruction"], {
    image: tensorOf(tf, image), // for its size
    [LATENT]: tf.tensor(kept, [1, latent.height, latent.width, latent.channels]),
  }).reconstruction));
}

// How strong each channel is: the sum of its map, which has no negative values behind a ReLU.
function strengthsOf({ data, channels }) {
  const sums = new Float64Array(channels);
  data.forEach((value, i) => { sums[i % channels] += value; });
  return sums;
}

const asImage = ({ data, height, width }) => {
  const image = new ImageData(width, height);
  for (let i = 0; i < height * width; i += 1) {
    image.data.set([data[3 * i], data[3 * i + 1], data[3 * i + 2], 255], 4 * i);
  }
  return image; // ImageData clips to 0–255 and rounds
};

// The mean absolute difference of every pixel, the decibels of the whole, and how bright it is,
// as a share of the picture's brightness.
function compared(image, { data, height, width }) {
  const difference = new Float32Array(height * width);
  let [squares, made, whole] = [0, 0, 0];
  for (let i = 0; i < difference.length; i += 1) {
    for (let c = 0; c < 3; c += 1) {
      const value = Math.min(255, Math.max(0, data[3 * i + c]));
      const off = value - image.data[4 * i + c];
      made += value;
      whole += image.data[4 * i + c];
      difference[i] += Math.abs(off) / 3;
      squares += off * off;
    }
  }
  const psnr = 10 * Math.log10((255 ** 2 * 3 * difference.length) / squares);
  return { difference: { data: difference, height, width }, psnr, brightness: made / whole };
}

// --- the screen

function build(stage, { page, say }) {
  const model = page.networks.cae;
  let seen = null; // what belongs to the picture on the screen
  let on = new Set();
  let strongest = Infinity; // how many the slider keeps; null after single channels were chosen

  const given = canvas("The picture", 1, 1, { id: "given", class: "smooth" });
  const made = canvas("The reconstruction", 1, 1, { id: "made", class: "smooth" });
  const off = canvas("Where they differ", 1, 1, { id: "off" });
  const [size, quality, scale] = [1, 2, 3].map(() => el("span", { class: "read" }));
  const pictures = el("div", { class: "panels cae" },
    figure(given, size), figure(made, quality), figure(off, scale));
  const maps = el("div", { class: "latent", role: "group", "aria-label": "Latent channels, strongest first" });
  const grid = walkable(maps, () => Number(maps.dataset.columns));
  const about = el("p", { class: "read", id: "latent" });
  const dark = el("p", { id: "dark", class: "quiet", "aria-live": "polite" });
  const numbers = el("p", { class: "read", id: "numbers", "aria-live": "polite" });
  const keep = slider("Keep the strongest channels", { min: 0, max: 64, value: 64 }, (value) => {
    strongest = value;
    choose();
  });
  const all = button("All", () => { strongest = Infinity; choose(); });
  const choices = picker(page, say);

  const ask = newest(async (_, current) => {
    const picture = await page.picture();
    if (picture !== seen?.picture && !(await look(picture, current))) return;
    reconstruct();
    fit();
    stage.classList.remove("busy");
  }, (error) => {
    stage.classList.remove("busy");
    say(error.message);
  });

  // Sends another picture through the first half; whether that was still wanted.
  async function look(picture, current) {
    const { image } = picture;
    show(given, image);
    size.textContent = `Picture: ${sizes(image.height, image.width, 3)}`;
    pictures.style.setProperty("--aspect", image.width / image.height);
    stage.classList.add("busy");
    const network = await page.network();
    if (!current()) return false;
    const latent = latentOf(network, model, image);
    const strengths = strengthsOf(latent);
    const order = [...strengths.keys()].sort((a, b) => strengths[b] - strengths[a]);
    seen = { picture, image, latent, network, strengths, order };
    if (strongest !== null) on = new Set(seen.order.slice(0, strongest));
    drawLatent();
    tell();
    return true;
  }

  function drawLatent() {
    const { latent, order } = seen;
    let top = 0;
    for (const value of latent.data) top = Math.max(top, value);
    const before = [...maps.children].indexOf(document.activeElement);
    maps.replaceChildren(...order.map((channel) => {
      const small = canvas("", latent.width, latent.height, { role: "presentation" });
      show(small, sequential(channelOf(latent, channel), 0, top / 2));
      return el("button", {
        type: "button", class: "channel", "data-channel": channel, title: `Channel ${channel}`,
        "aria-label": `Channel ${channel}`, onclick: () => flip(channel),
      }, small);
    }));
    grid.restart();
    if (before >= 0) maps.children[before].focus();
  }

  // The number of columns with which the maps are largest in the space that they have.
  function fit() {
    const { channels, width: across, height: down } = seen.latent;
    const aspect = across / down;
    const [width, height] = [maps.clientWidth, Math.max(140, maps.clientHeight)];
    const [gap, rim] = [4, 4]; // pixels between cells, and of both borders of one
    const side = (columns) => Math.min(width / columns - gap,
      aspect * (height / Math.ceil(channels / columns) - gap - rim) + rim);
    const columns = [4, 8, 11, 13, 16, 22, 32].reduce((a, b) => (side(b) > side(a) ? b : a));
    maps.dataset.columns = columns;
    const cell = Math.max(6, Math.floor(side(columns)));
    maps.style.gridTemplateColumns = `repeat(${columns}, minmax(0, ${cell}px))`;
  }

  function flip(channel) {
    strongest = null;
    if (!on.delete(channel)) on.add(channel);
    tell();
    ask();
  }

  function choose() {
    if (!seen) return;
    on = new Set(seen.order.slice(0, strongest));
    tell();
    ask();
  }

  function reconstruct() {
    const { image, latent, network } = seen;
    const answer = decoded(network, model, image, latent, on);
    const { difference, psnr, brightness } = compared(image, answer);
    show(made, asImage(answer));
    show(off, sequential(difference, 0, WORST));
    quality.textContent = `Reconstruction: PSNR ${number(psnr, 1)} dB (higher is better)`;
    quality.dataset.psnr = psnr;
    const darker = brightness < DARK && on.size < latent.channels;
    dark.textContent = darker ? "Darker: a channel that is off counts as 0. Its share of the brightness is missing."
      : "PSNR, peak signal-to-noise ratio: 10 dB lower means a squared difference ten times larger.";
    made.dataset.kept = [...on].sort((a, b) => a - b).join(" ");
  }

  function tell() {
    const { image, latent, order, strengths } = seen;
    keep.set(on.size);
    for (const cell of maps.children) {
      cell.setAttribute("aria-pressed", String(on.has(Number(cell.dataset.channel))));
    }
    const picture = image.height * image.width * 3;
    const empty = order.filter((channel) => strengths[channel] === 0);
    const idle = empty.filter((channel) => on.has(channel)).length;
    const used = latent.height * latent.width * (on.size - idle);
    const kept = latent.height * latent.width * on.size;
    about.replaceChildren(
      el("strong", {}, `Latent map: ${sizes(latent.height, latent.width, latent.channels)}`),
      el("span", { class: "quiet" }, ", strongest channel first: the one with the largest sum."
        + `${empty.length ? ` The last ${count(empty.length)}: all 0.` : ""}`));
    const share = (part) => `${number((100 * part) / picture, 1)} %`;
    numbers.textContent = `Kept: ${some(kept, "number")}; the picture has ${count(picture)} (${share(kept)}).`
      + `${idle ? ` Without the empty channels: ${count(used)}.` : ""}`;
  }

  scale.textContent = `Difference: dark is 0, bright is ${WORST} or more (of 255)`;
  stage.append(choices, controls(keep, all), pictures, el("div", {}, numbers, dark, about), maps);
  const changed = () => ask();
  const resized = () => { if (seen) fit(); };
  page.addEventListener("picture", changed);
  window.addEventListener("resize", resized);
  ask();
  return {
    stop() {
      ask.stop();
      choices.stop();
      page.removeEventListener("picture", changed);
      window.removeEventListener("resize", resized);
      stage.classList.remove("busy");
    },
  };
}

const drawing = () => smallHourglass(3, [[30, "picture"], [116, "latent map"], [200, "picture"]]);

export default {
  id: "autoencoder",
  title: "Convolutional autoencoder",
  claims: ["L10", "L11"],
  minutes: 5,
  question: {
    ask: "An autoencoder’s narrow middle, its latent map, has 1/8 of the height and width, but 64 channels. How many numbers?",
    answers: ["About 1/64 as many as the picture", "About a third as many", "More than the picture"],
    right: 1,
    because: "1/64 of the positions, but 64 numbers at each instead of 3: about one number for every three.",
  },
  todo: "What is lost even with all 64 channels? Then keep fewer, or click single maps off: what goes next?",
  sentence: "An autoencoder squeezes a picture into a latent map and rebuilds the picture from it.",
  notes: [
    "Ask for the number first: 1/8 × 1/8 × 64 / 3 is a third. Few students count the channels.",
    "Go down slowly from 64. The first that go are often 0 everywhere (“dead ReLUs” for this picture), and nothing is lost. Then brightness and colour go. 10 dB lower means a squared difference ten times larger.",
    "The maps are small pictures: every position still belongs to its place in the picture. Behind a dense layer it would not.",
    "It was trained on road scenes alone. A photograph shows what it learned about pictures in general, and which colours it never needed.",
    "A usual misconception: the latent map is a small copy of the picture. Each channel answers to one pattern; no three of them are its colours.",
  ],
  drawing,
  build,
};
