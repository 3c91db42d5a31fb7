/**
 * Explains the failure of a file store, with advice.
 *
 * Platforms nest the system's error code, such as `ENOSPC`, in the causes of their errors. This module finds it by its
 * property name, so it does not depend on a platform.
 */
import * as Predicate from "effect/Predicate"
import * as SafeText from "../../src/SafeText.js"

interface Explanation {
  readonly what: string
  readonly todo: string
}

const NO_SPACE: Explanation = { what: "no space is left on the device", todo: "Free some space on it" }
const DENIED: Explanation = {
  what: "permission is denied",
  todo: "Let the user of this process read and write the folder and its files"
}
const MISSING: Explanation = { what: "the folder does not exist", todo: "Create it again, or choose another" }
const NO_FOLDER: Explanation = { what: "a part of the path is not a folder", todo: "Choose a path of folders" }
const NO_DESCRIPTORS: Explanation = {
  what: "no file descriptor is free",
  todo: "Raise the limit of open files (ulimit -n), or open fewer at a time"
}

const BY_CODE: ReadonlyMap<string, Explanation> = new Map([
  ["ENOSPC", NO_SPACE],
  ["EDQUOT", { what: "the disk quota is used up", todo: "Free some space, or raise the quota" }],
  ["EFBIG", { what: "the file is larger than the file system allows", todo: "Choose another folder" }],
  ["EROFS", { what: "the file system is read-only", todo: "Mount it writable, or choose another folder" }],
  ["EACCES", DENIED],
  ["EPERM", DENIED],
  ["ENOENT", MISSING],
  ["ENOTDIR", NO_FOLDER],
  ["EEXIST", NO_FOLDER],
  ["EISDIR", { what: "the path of the file is a folder", todo: "Move it away" }],
  ["EMFILE", NO_DESCRIPTORS],
  ["ENFILE", NO_DESCRIPTORS],
  ["ENAMETOOLONG", { what: "the path is too long", todo: "Choose a shorter one" }],
  ["EIO", { what: "the device failed to read or write", todo: "Check the disk" }]
])

const BY_REASON: ReadonlyMap<string, Explanation> = new Map([
  ["NotFound", MISSING],
  ["PermissionDenied", DENIED],
  ["AlreadyExists", NO_FOLDER]
])

/** Maximum depth of nested causes to search. */
const MAX_DEPTH = 8

const MAX_TEXT = 200

const CODE = /^E[A-Z0-9]{2,19}$/

const find = (cause: unknown, property: string, isWanted: (text: string) => boolean): string | undefined => {
  let at = cause
  for (let depth = 0; depth < MAX_DEPTH && Predicate.isObject(at); depth++) {
    const found = Predicate.hasProperty(at, property) ? at[property] : undefined
    if (Predicate.isString(found) && isWanted(found)) return found
    at = Predicate.hasProperty(at, "cause") ? at.cause : undefined
  }
  return undefined
}

/** The system's error code of a failure, such as `ENOSPC`, if it has one. */
export const code = (cause: unknown): string | undefined => find(cause, "code", (text) => CODE.test(text))

/** Whether the file to read or remove does not exist. */
export const isNotFound = (cause: unknown): boolean =>
  code(cause) === "ENOENT" || find(cause, "reason", () => true) === "NotFound"

/** The failure with code and path, and advice: two sentences without the last full stop. */
export const explain = (cause: unknown): string => {
  const errno = code(cause)
  const known =
    (errno === undefined ? undefined : BY_CODE.get(errno)) ?? BY_REASON.get(find(cause, "reason", () => true) ?? "")
  const path = find(cause, "pathOrDescriptor", () => true) ?? find(cause, "path", () => true)
  const where = [errno, path === undefined ? undefined : SafeText.make(path, MAX_TEXT)].filter(Predicate.isNotUndefined)
  const place = where.length === 0 ? "" : ` (${where.join(", ")})`
  if (known !== undefined) return `${known.what}${place}. ${known.todo}`
  const said = find(cause, "description", () => true) ?? find(cause, "message", () => true)
  return `${said === undefined ? "it gave no reason" : SafeText.make(said, MAX_TEXT)}${place}. Check the store`
}
