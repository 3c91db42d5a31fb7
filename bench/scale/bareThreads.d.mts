/** Starts threads that sign their share of the messages at each `run`. */
export const start: (
  threads: number,
  messages: ReadonlyArray<Uint8Array>,
  privateKey: CryptoKey
) => Promise<{ readonly run: () => Promise<void>; readonly end: () => Promise<unknown> }>
