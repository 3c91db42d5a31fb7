/** A served cluster, for clients of others. */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import * as EmbeddedCluster from "../../../layers/EmbeddedCluster.js"
import * as Server from "../../../layers/EmbeddedServer.js"

export class Served extends Context.Tag("test/Served")<Served, Server.Served>() {}

export const served = Layer.scoped(Served, Server.serve()).pipe(Layer.provide(EmbeddedCluster.layer()))
