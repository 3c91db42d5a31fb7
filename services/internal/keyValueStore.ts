import type * as Platform from "@effect/platform/KeyValueStore"
import * as Context from "effect/Context"

/**
 * The tag of `@effect/platform`'s `KeyValueStore`. Tags with equal keys are equal. An import of the module would load it and
 * eleven others also in a process that uses no such store.
 */
export const keyValueStore = Context.GenericTag<Platform.KeyValueStore>("@effect/platform/KeyValueStore")
