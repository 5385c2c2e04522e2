/** The series with known results that the tests of all protocols share: `a`, and `b` with many ties. */
export const GOLDEN_LABELS = Uint8Array.from({ length: 400 }, (_, i) =>
  (i >= 60 && i <= 74) || i === 200 || (i >= 310 && i <= 349) ? 1 : 0,
)

export const GOLDEN_A = Float64Array.from({ length: 400 }, (_, i) => {
  const raise = i >= 68 && i <= 74 ? 250 : i === 200 ? 200 : i >= 318 && i <= 349 ? 120 : 0
  return ((7919 * i) % 1009) + raise - (i === 330 ? 700 : 0)
})

export const GOLDEN_B = GOLDEN_A.map(score => Math.floor(score / 100))
