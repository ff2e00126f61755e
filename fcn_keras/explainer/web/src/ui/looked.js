// The picture that all chapters look at, in the size that the network of the result wants.
// Returns { id, title, image, labels }; labels only where they name the network's classes.
export async function looked(page) {
  const picture = await page.picture();
  const image = page.fitting(picture.image);
  const labels = page.hasTruth(picture) ? nearest(picture.labels, picture.image, image) : null;
  return { id: picture.id, title: picture.title, image, labels };
}

// Labels of a picture for the same picture in another size.
function nearest(labels, from, to) {
  if (from.width === to.width && from.height === to.height) return labels;
  return Uint8Array.from({ length: to.width * to.height }, (_, i) => {
    const y = Math.floor(((Math.floor(i / to.width) + 0.5) / to.height) * from.height);
    const x = Math.floor((((i % to.width) + 0.5) / to.width) * from.width);
    return labels[y * from.width + x];
  });
}
