// Files that a check makes and reads, written from the formats' definitions and not from the page's code.
import assert from "node:assert/strict";
import { crc32, deflateSync, inflateSync } from "node:zlib";

// From now on the page hands its downloads to the check instead of the browser.
export const catchDownloads = (driver) => driver.evaluate(() => {
  if (globalThis.caught) return;
  globalThis.caught = [];
  const follow = HTMLAnchorElement.prototype.click;
  HTMLAnchorElement.prototype.click = function click() {
    if (!this.download) {
      follow.call(this);
      return;
    }
    const entry = { name: this.download, base64: null };
    globalThis.caught.push(entry);
    fetch(this.href).then((response) => response.blob()).then((blob) => {
      const reader = new FileReader();
      reader.onload = () => { entry.base64 = reader.result.split(",")[1] ?? ""; };
      reader.readAsDataURL(blob);
    });
  };
});

// What was downloaded last: { name, bytes }.
export async function download(driver, act) {
  const before = await driver.evaluate(() => globalThis.caught.length);
  await act();
  await driver.wait((count) => Boolean(globalThis.caught[count]?.base64), before);
  const { name, base64 } = await driver.evaluate((count) => globalThis.caught[count], before);
  return { name, bytes: Buffer.from(base64, "base64") };
}

// A ZIP, read from its list at the end: { name: bytes }.
export function unzipped(bytes) {
  const end = bytes.lastIndexOf(Buffer.from("PK\x05\x06", "latin1"));
  const count = bytes.readUInt16LE(end + 10);
  let at = bytes.readUInt32LE(end + 16);
  assert.equal(at + bytes.readUInt32LE(end + 12), end);
  const files = {};
  for (let i = 0; i < count; i += 1) {
    assert.equal(bytes.readUInt32LE(at), 0x02014b50);
    const [sum, packed, size] = [16, 20, 24].map((place) => bytes.readUInt32LE(at + place));
    const [nameLength, more, comment] = [28, 30, 32].map((place) => bytes.readUInt16LE(at + place));
    const name = bytes.toString("utf8", at + 46, at + 46 + nameLength);
    const local = bytes.readUInt32LE(at + 42);
    assert.equal(bytes.readUInt32LE(local), 0x04034b50);
    assert.equal(bytes.toString("utf8", local + 30, local + 30 + nameLength), name);
    const start = local + 30 + bytes.readUInt16LE(local + 26) + bytes.readUInt16LE(local + 28);
    assert.equal(packed, size); // stored
    files[name] = bytes.subarray(start, start + size);
    assert.equal(crc32(files[name]), sum, name);
    at += 46 + nameLength + more + comment;
  }
  assert.equal(at, end);
  return files;
}

// A PNG of 8 bits without filters: { width, height, channels, data }.
export function pixelsOf(bytes) {
  assert.deepEqual([...bytes.subarray(0, 8)], [137, 80, 78, 71, 13, 10, 26, 10]);
  const chunks = [];
  for (let at = 8; at < bytes.length;) {
    const size = bytes.readUInt32BE(at);
    const kind = bytes.toString("latin1", at + 4, at + 8);
    assert.equal(crc32(bytes.subarray(at + 4, at + 8 + size)), bytes.readUInt32BE(at + 8 + size), kind);
    chunks.push([kind, bytes.subarray(at + 8, at + 8 + size)]);
    at += 12 + size;
  }
  assert.deepEqual([chunks[0][0], chunks.at(-1)[0]], ["IHDR", "IEND"]);
  const header = chunks[0][1];
  const [width, height] = [header.readUInt32BE(0), header.readUInt32BE(4)];
  const channels = { 0: 1, 2: 3 }[header[9]];
  assert.deepEqual([header[8], header[10], header[11], header[12]], [8, 0, 0, 0]);
  const lines = inflateSync(Buffer.concat(chunks.filter(([kind]) => kind === "IDAT").map(([, data]) => data)));
  assert.equal(lines.length, height * (width * channels + 1));
  const data = Buffer.alloc(width * height * channels);
  for (let y = 0; y < height; y += 1) {
    assert.equal(lines[y * (width * channels + 1)], 0);
    lines.copy(data, y * width * channels, y * (width * channels + 1) + 1, (y + 1) * (width * channels + 1));
  }
  return { width, height, channels, data };
}

// A PNG made here; channels: 1 grey, 3 RGB, 4 RGBA. `pixel` gives its numbers, or it is black.
export function pngMade(width, height, channels, pixel = null) {
  const lines = Buffer.alloc(height * (width * channels + 1));
  for (let y = 0; pixel && y < height; y += 1) {
    for (let x = 0; x < width; x += 1) lines.set(pixel(x, y), y * (width * channels + 1) + 1 + x * channels);
  }
  const chunk = (kind, data) => {
    const out = Buffer.alloc(12 + data.length);
    out.writeUInt32BE(data.length, 0);
    out.write(kind, 4, "latin1");
    data.copy(out, 8);
    out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length);
    return out;
  };
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header.set([8, { 1: 0, 3: 2, 4: 6 }[channels]], 8);
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk("IHDR", header), chunk("IDAT", deflateSync(lines)), chunk("IEND", Buffer.alloc(0)),
  ]);
}

// A .safetensors file: { about, arrays: { name: { shape, data } } }.
export function arraysOf(bytes) {
  const size = Number(bytes.readBigUInt64LE(0));
  const { __metadata__: about, ...entries } = JSON.parse(bytes.toString("utf8", 8, 8 + size));
  assert.equal(size % 8, 0);
  let end = 0;
  const arrays = {};
  for (const [name, { dtype, shape, data_offsets: [from, to] }] of Object.entries(entries)) {
    assert.equal(dtype, "F32");
    assert.equal(from, end); // no gaps
    const copy = Uint8Array.from(bytes.subarray(8 + size + from, 8 + size + to));
    arrays[name] = { shape, data: new Float32Array(copy.buffer) };
    assert.equal(arrays[name].data.length, shape.reduce((a, b) => a * b, 1), name);
    end = to;
  }
  assert.equal(8 + size + end, bytes.length);
  return { about, arrays };
}
