import type * as Platform from "@effect/platform/KeyValueStore"
import * as Context from "effect/Context"

/**
 * The tag of `@effect/platform`'s `KeyValueStore`, without loading its module and eleven others. Tags with equal keys
 * are equal.
 */
export const keyValueStore = Context.GenericTag<Platform.KeyValueStore>("@effect/platform/KeyValueStore")
