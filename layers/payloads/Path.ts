/** The paths of payloads on a server: `/v1/payloads/<SHA-256 in 64 lower-case hexadecimal digits>`. */

const PREFIX = "/v1/payloads/"

const KEY = /^[0-9a-f]{64}$/

/** The path of a payload below the URL of its server. */
export const of = (key: string): string => PREFIX + key

/** The target of a path: a payload, a path under the prefix without a valid hash, or any other path. */
export type Target = { readonly key: string } | "malformed" | "unknown"

export const parse = (path: string): Target => {
  if (!path.startsWith(PREFIX)) return "unknown"
  const key = path.slice(PREFIX.length)
  if (KEY.test(key)) return { key }
  return key.includes("/") || key.includes("%") || key === "" ? "unknown" : "malformed"
}
