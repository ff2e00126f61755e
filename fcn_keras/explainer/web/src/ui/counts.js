// Counts and sizes for people.
export const count = (value) => value.toLocaleString("en-US"); // 276,480
export const sizes = (...sides) => sides.map(count).join(" × "); // 160 × 576 × 3
export const some = (value, one, many = `${one}s`) => `${count(value)} ${value === 1 ? one : many}`;
