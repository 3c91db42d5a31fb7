import type * as Platform from "@effect/platform/KeyValueStore"
import * as Context from "effect/Context"

/**
 * The `KeyValueStore` of `@effect/platform`, since tags of one key are one. Who provides a store has loaded its module;
 * an import here would load that and eleven more into each process that keeps its payloads elsewhere.
 */
export const keyValueStore = Context.GenericTag<Platform.KeyValueStore>("@effect/platform/KeyValueStore")
