/**
 * Minimises a function by the simplex method (Nelder & Mead 1965), from `start` with first steps `size`, for at most `rounds` rounds.
 * NaN counts as the worst value. Deterministic. Returns the best point found; bounds are the caller's, inside `cost`.
 */
export function minimise(
  cost: (point: readonly number[]) => number,
  start: readonly number[],
  size: number,
  rounds: number,
): number[] {
  const rate = (point: number[]) => {
    const value = cost(point)
    return { point, value: Number.isNaN(value) ? Infinity : value }
  }
  const simplex = [rate([...start]), ...start.map((_, i) => rate(start.map((x, j) => (i === j ? x + size : x))))]
  const order = () => simplex.sort((a, b) => a.value - b.value)
  for (let round = 0; round < rounds; round++) {
    order()
    const worst = simplex.length - 1
    const centre = start.map((_, j) => simplex.slice(0, worst).reduce((sum, { point }) => sum + point[j], 0) / worst)
    const along = (by: number) => rate(centre.map((x, j) => x + by * (simplex[worst].point[j] - x)))
    const mirrored = along(-1)
    if (mirrored.value < simplex[0].value) {
      const further = along(-2)
      simplex[worst] = further.value < mirrored.value ? further : mirrored
    } else if (mirrored.value < simplex[worst - 1].value) simplex[worst] = mirrored
    else {
      const nearer = along(mirrored.value < simplex[worst].value ? -0.5 : 0.5)
      if (nearer.value < Math.min(mirrored.value, simplex[worst].value)) simplex[worst] = nearer
      else for (let i = 1; i <= worst; i++) simplex[i] = rate(simplex[i].point.map((x, j) => (x + simplex[0].point[j]) / 2))
    }
  }
  return order()[0].point
}
