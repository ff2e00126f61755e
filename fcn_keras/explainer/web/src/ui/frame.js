// Until the browser has painted the page and heard the visitor. A page in the background is not
// painted at all, so that a clock wakes it too.
export const frame = () => new Promise((resolve) => {
  requestAnimationFrame(() => setTimeout(resolve));
  setTimeout(resolve, 250);
});
