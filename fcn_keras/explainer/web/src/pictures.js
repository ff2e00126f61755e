// Pictures: those that came with the page, and those that a visitor drops. Nothing leaves the page.

const LONGEST = 640; // pixels: what a laptop labels in half a second
const HEAVIEST = 256 * 2 ** 20; // bytes

// Reads a picture of the page: { id, title, source, image, labels, classes }.
//   image: ImageData; labels: Uint8Array of class numbers (255: void), or null
export async function bundled(entry) {
  const image = await decoded(entry.src);
  let labels = null;
  if (entry.labels) {
    const { data } = await decoded(entry.labels);
    labels = Uint8Array.from({ length: data.length / 4 }, (_, i) => data[4 * i]);
  }
  return { ...entry, image, labels };
}

async function decoded(url) {
  const picture = new Image();
  picture.src = url;
  await picture.decode();
  return pixelsOf(picture, picture.naturalWidth, picture.naturalHeight);
}

// What can be drawn, as ImageData of some size.
export function pixelsOf(source, width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = "white"; // behind transparent pixels
  context.fillRect(0, 0, width, height);
  context.imageSmoothingQuality = "high";
  context.drawImage(source, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

// Whether one sees through it somewhere.
function transparent(source, width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(source, 0, 0, width, height);
  const { data } = context.getImageData(0, 0, width, height);
  return data.some((value, i) => i % 4 === 3 && value < 250); // scaling rounds a little
}

// A canvas whose pixels come back changed (a browser that hides who its user is) would give every
// network another picture, without a word.
export function canvasIsTrue() {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 8;
  const context = canvas.getContext("2d");
  const given = Uint8ClampedArray.from({ length: 256 }, (_, i) => (i % 4 === 3 ? 255 : (i * 37) % 256));
  context.putImageData(new ImageData(given, 8, 8), 0, 0);
  return context.getImageData(0, 0, 8, 8).data.every((value, i) => value === given[i]);
}

export class NoPicture extends Error {}

// Reads a file that somebody chose or dropped.
// Returns the same as `bundled`, without labels, no side longer than 640 pixels.
// Throws NoPicture with a sentence for people.
export async function fromFile(file) {
  const name = file.name || "this file";
  if (file.size === 0) throw new NoPicture(`${name} is empty. Choose a photograph, such as a JPEG or a PNG.`);
  if (file.size > HEAVIEST) throw new NoPicture(`${name} is larger than 256 MB. Save it smaller, and as a JPEG.`);
  const isVector = file.type === "image/svg+xml" || /\.svg$/i.test(name);
  let read;
  try {
    read = await (isVector ? fromVector(file) : fromPixels(file));
  } catch {
    const heic = /\.hei[cf]$/i.test(name) ? " Most browsers cannot read HEIC: export it as JPEG first." : "";
    throw new NoPicture(`${name} could not be read as a picture. JPEG, PNG, WebP and GIF work.${heic}`);
  }
  const { image, width, height, holes } = read;
  const notes = [];
  if (Math.max(width, height) > LONGEST) notes.push(`made smaller, from ${height} × ${width} to ${image.height} × ${image.width} pixels (height × width)`);
  if (holes) notes.push("its transparent parts are white here");
  if (file.type === "image/gif") notes.push("only its first image is used");
  return { id: `own-${name}`, title: name, source: "yours", image, labels: null, note: notes.join("; ") };
}

// No side longer than 640 pixels, and none shorter than one.
function fitting(width, height) {
  const scale = Math.min(1, LONGEST / Math.max(width, height));
  return [width, height].map((side) => Math.max(1, Math.round(side * scale)));
}

// Turned as the camera was held; the browser knows CMYK and the like.
async function fromPixels(file) {
  const bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  const { width, height } = bitmap;
  try {
    const size = fitting(width, height);
    return { image: pixelsOf(bitmap, ...size), width, height, holes: transparent(bitmap, ...size) };
  } finally {
    bitmap.close();
  }
}

// An SVG has no pixels of its own; it is drawn at its size, or 640 wide if it names none. As a
// picture it runs no scripts and fetches nothing.
async function fromVector(file) {
  const parsed = new DOMParser().parseFromString(await file.text(), "image/svg+xml");
  const root = parsed.documentElement;
  if (root.localName !== "svg") throw new Error("no SVG");
  const view = (root.getAttribute("viewBox") ?? "").trim().split(/[\s,]+/).map(Number);
  const [, , viewWidth, viewHeight] = view.length === 4 && view.every(Number.isFinite) ? view : [];
  const given = ["width", "height"].map((name) => {
    const text = root.getAttribute(name) ?? "";
    return /^\s*[\d.]+(e\d+)?\s*(px)?\s*$/i.test(text) ? parseFloat(text) : 0;
  });
  const ratio = viewWidth > 0 && viewHeight > 0 ? viewWidth / viewHeight : 1;
  const width = given[0] || (given[1] ? given[1] * ratio : LONGEST);
  const height = given[1] || width / ratio;
  const size = fitting(width, height);
  if (!root.hasAttribute("viewBox")) root.setAttribute("viewBox", `0 0 ${width} ${height}`);
  root.setAttribute("width", size[0]); // without these some browsers draw nothing
  root.setAttribute("height", size[1]);
  const text = new XMLSerializer().serializeToString(parsed);
  const url = URL.createObjectURL(new Blob([text], { type: "image/svg+xml" }));
  try {
    const picture = new Image();
    picture.src = url;
    await picture.decode();
    return {
      image: pixelsOf(picture, ...size), width: Math.round(width), height: Math.round(height),
      holes: transparent(picture, ...size),
    };
  } finally {
    URL.revokeObjectURL(url);
  }
}

// The picture in another size, as ImageData.
export function resized(image, width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = image.width;
  canvas.height = image.height;
  canvas.getContext("2d").putImageData(image, 0, 0);
  return pixelsOf(canvas, width, height);
}
