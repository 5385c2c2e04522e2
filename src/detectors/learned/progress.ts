/** Goes through some work and says how far it is in other words; leaves it when it is left. */
export function* mapProgress<Said, Result>(
  work: Generator<Said, Result>,
  show: (said: Said) => number,
): Generator<number, Result> {
  try {
    for (;;) {
      const step = work.next()
      if (step.done) return step.value
      yield show(step.value)
    }
  } finally {
    work.return(undefined as Result)
  }
}
