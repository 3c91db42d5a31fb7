/** The task for the pools of `bench -- scale`: a named export for our pool and a default export for piscina. */
const SPIN = 26_000

/** About 50 µs of arithmetic on a quiet machine. The result depends on all of it. */
export const spin = (input) => {
  let state = input[0] ?? 1
  for (let step = 0; step < SPIN; step++) state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0
  return Uint8Array.of(state & 255)
}

export default spin
