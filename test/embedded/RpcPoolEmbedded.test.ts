import * as Layer from "effect/Layer"
import * as EmbeddedCluster from "../../layers/EmbeddedCluster.js"
import * as RpcPoolEmbedded from "../../layers/RpcPoolEmbedded.js"
import { suite } from "./conformance.js"

suite("in process", RpcPoolEmbedded.layer.pipe(Layer.provide(EmbeddedCluster.layer())))
