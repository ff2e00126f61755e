// What the page computes, as numbers for Python to compare: maps, sizes and receptive fields, for
// `given.models`: { model: [layers] }, on a made picture of given.height × given.width.
export async function check(driver, given) {
  return driver.evaluate(async ({ models, height, width, values }) => {
    const { explainer, FCN } = globalThis;
    const network = await explainer.network();
    const base64 = (array) => {
      const bytes = new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
      let text = "";
      for (let i = 0; i < bytes.length; i += 32768) text += String.fromCharCode(...bytes.subarray(i, i + 32768));
      return btoa(text);
    };
    const bytes = Uint8Array.from(atob(values), (letter) => letter.charCodeAt(0));
    const image = new ImageData(width, height);
    for (let i = 0; i < width * height; i += 1) {
      image.data.set([bytes[3 * i], bytes[3 * i + 1], bytes[3 * i + 2], 255], 4 * i);
    }
    const facts = {};
    for (const [model, layers] of Object.entries(models)) {
      const found = FCN.maps(network, model, image, layers);
      const laidOut = FCN.mapsOf(network, model, height, width);
      facts[model] = Object.fromEntries(layers.map((layer) => {
        const { data, ...shape } = found[layer];
        const { fields, ...size } = laidOut[layer];
        const [vertical] = fields;
        return [layer, {
          shape: [shape.height, shape.width, shape.channels], data: base64(data),
          size: [size.height, size.width],
          field: vertical && { size: vertical.size, stride: vertical.stride, pixels: [0, 1, 2, 5].map((i) => vertical.pixels(i)) },
        }];
      }));
    }
    return facts;
  }, given);
}
