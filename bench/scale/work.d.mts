export const spin: (input: Uint8Array) => Uint8Array
