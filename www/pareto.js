// Which results no other beats.

/** @typedef {{ id: string, name: string, bytes: number, quality: number, samples?: number, shown?: boolean }} Point */

/** The points that no other beats in both, from few bytes to many. @param {Point[]} points */
export function pareto(points) {
  const sorted = [...points].sort((a, b) => a.bytes - b.bytes || b.quality - a.quality);
  /** @type {Point[]} */
  const front = [];
  for (const point of sorted) if (front.length === 0 || point.quality > front[front.length - 1].quality) front.push(point);
  return front;
}
