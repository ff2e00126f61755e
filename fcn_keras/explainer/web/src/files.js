// Files that the page writes: PNG, ZIP, safetensors. Nothing is uploaded; the browser saves them.

// Offers a file for download under a name.
export function save(bytes, name, type = "application/octet-stream") {
  const url = URL.createObjectURL(new Blob([bytes], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // some browsers begin to read it later
}

// A name for a file: letters, digits, - and _ of a title.
export const fileName = (title) =>
  title.normalize("NFC").replace(/\.[a-z0-9]{2,4}$/i, "").replace(/[^\p{L}\p{M}\p{N}_-]+/gu, "-")
    .replace(/^-+|-+$/g, "").slice(0, 60) || "picture";

const text = (string) => new TextEncoder().encode(string);

function joined(...parts) {
  const out = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

const CRC = Uint32Array.from({ length: 256 }, (_, value) => {
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

export function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = (crc >>> 8) ^ CRC[(crc ^ byte) & 255];
  return (crc ^ 0xffffffff) >>> 0;
}

// Whole numbers as bytes: numbers(true, [4, size], [2, method]) with the lowest byte first.
function numbers(lowestFirst, ...fields) {
  const out = new DataView(new ArrayBuffer(fields.reduce((sum, [size]) => sum + size, 0)));
  let at = 0;
  for (const [size, value] of fields) {
    if (size === 1) out.setUint8(at, value);
    else if (size === 2) out.setUint16(at, value, lowestFirst);
    else out.setUint32(at, value, lowestFirst);
    at += size;
  }
  return new Uint8Array(out.buffer);
}

// A PNG of 8 bits: `channels` is 1 (grey) or 3 (RGB). A canvas would write four channels, and
// class numbers as colours. Returns a promise of bytes.
export async function png(data, width, height, channels = 1) {
  const row = width * channels;
  const lines = new Uint8Array(height * (row + 1)); // each begins with its filter: 0, none
  for (let y = 0; y < height; y += 1) {
    lines.set(data.subarray(y * row, (y + 1) * row), y * (row + 1) + 1);
  }
  const stream = new Blob([lines]).stream().pipeThrough(new CompressionStream("deflate"));
  const packed = new Uint8Array(await new Response(stream).arrayBuffer());
  const chunk = (kind, content) => {
    const named = joined(text(kind), content);
    return joined(numbers(false, [4, content.length]), named, numbers(false, [4, crc32(named)]));
  };
  const colour = channels === 1 ? 0 : 2;
  const header = numbers(false, [4, width], [4, height], [1, 8], [1, colour], [1, 0], [1, 0], [1, 0]);
  const signature = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10);
  return joined(signature, chunk("IHDR", header), chunk("IDAT", packed), chunk("IEND", new Uint8Array()));
}

// A picture as an RGB PNG.
export function pngOf(image) {
  const rgb = new Uint8Array(3 * image.width * image.height);
  for (let i = 0; i < image.width * image.height; i += 1) {
    for (let c = 0; c < 3; c += 1) rgb[3 * i + c] = image.data[4 * i + c];
  }
  return png(rgb, image.width, image.height, 3);
}

// A ZIP of files, stored as they are: zip({ "classes.txt": "cat\n", "images/cat.png": bytes }).
export function zip(files) {
  const [bodies, entries] = [[], []];
  let at = 0;
  for (const [name, content] of Object.entries(files)) {
    const path = text(name);
    const bytes = typeof content === "string" ? text(content) : content;
    const common = numbers(true, // version 2.0, names in UTF-8, stored, 1 January 1980
      [2, 20], [2, 0x0800], [2, 0], [2, 0], [2, 0x21], [4, crc32(bytes)], [4, bytes.length],
      [4, bytes.length], [2, path.length], [2, 0]);
    bodies.push(numbers(true, [4, 0x04034b50]), common, path, bytes);
    entries.push(numbers(true, [4, 0x02014b50], [2, 20]), common,
      numbers(true, [2, 0], [2, 0], [2, 0], [4, 0], [4, at]), path);
    at += 4 + common.length + path.length + bytes.length;
  }
  const count = Object.keys(files).length;
  const size = entries.reduce((sum, { length }) => sum + length, 0);
  const end = numbers(true,
    [4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, size], [4, at], [2, 0]);
  return joined(...bodies, ...entries, end);
}

// Arrays as a .safetensors file of float32: [{ name, shape, data }], and texts about them.
export function safetensors(arrays, about = {}) {
  const header = { __metadata__: about };
  let at = 0;
  for (const { name, shape, data } of arrays) {
    header[name] = { dtype: "F32", shape, data_offsets: [at, at + data.byteLength] };
    at += data.byteLength;
  }
  const plain = text(JSON.stringify(header));
  const padding = text(" ".repeat(-plain.length & 7)); // the numbers begin at a multiple of 8
  const size = plain.length + padding.length;
  const bytes = arrays.map(({ data }) => new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
  return joined(numbers(true, [4, size], [4, 0]), plain, padding, ...bytes);
}
