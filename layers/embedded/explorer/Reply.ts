/**
 * The parts of the cluster's replies that the explorer reads. Another shape is a defect, because the replies are our
 * own.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Service } from "../Model.js"
import type { JsonRpcError } from "../rpc/JsonRpcError.js"

/** An integer of a reply. */
export const Integer = Schema.Union(Schema.Number, Schema.BigIntFromSelf)

/** Calls a method and reads its reply. */
export const read = <A, I>(
  cluster: Service,
  schema: Schema.Schema<A, I>,
  method: string,
  ...params: ReadonlyArray<unknown>
): Effect.Effect<A, JsonRpcError> =>
  Effect.flatMap(cluster.request(method, params), (reply) => Effect.orDie(Schema.decodeUnknown(schema)(reply)))
