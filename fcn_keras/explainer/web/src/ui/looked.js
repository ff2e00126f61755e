// What a network of the page looks at: the page's picture, its labels, and the newest wish only.
import { resized } from "../pictures.js";

// The picture that all chapters look at, in the size that the network of the result wants.
// Returns { id, title, image, labels }; labels only where they name the network's classes.
export async function looked(page) {
  const picture = await page.picture();
  const { size } = page.contents;
  let { image } = picture;
  if (page.fitting) image = await page.fitting(image);
  else if (size) image = resized(image, size[1], size[0]);
  const names = page.classes.map(({ name }) => name).join();
  const known = picture.labels && picture.classes?.join() === names;
  const labels = known ? nearest(picture.labels, picture.image, image) : null;
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

// When the screen has shown what was changed: before something that blocks it.
export const painted = () => new Promise((resolve) => {
  if (document.hidden) setTimeout(resolve);
  else requestAnimationFrame(() => setTimeout(resolve));
});

// newest(work, say): a function that asks for work, of which only the newest wish is done. `work`
// gets `still()`, which says whether nobody has asked again, and what was asked for.
export function newest(work, say) {
  let wishes = 0;
  const ask = async (...wish) => {
    const mine = (wishes += 1);
    const still = () => mine === wishes;
    await painted();
    if (!still()) return;
    try {
      await work(still, ...wish);
    } catch (error) {
      if (still()) say(error.message);
    }
  };
  ask.stop = () => { wishes += 1; };
  return ask;
}
