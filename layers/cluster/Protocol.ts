/**
 * The requests to agents of a cluster, as Schemas for sockets and the database.
 *
 * A send is persisted before it is executed, under a key that identifies its content. An interruption of its caller
 * does not reach it. A failure is stored as the answer of its key, together with its ask: a caller that finds the
 * failure of an earlier ask uses its own key. The message's id still prevents a second message.
 */
import * as ClusterSchema from "@effect/cluster/ClusterSchema"
import * as Entity from "@effect/cluster/Entity"
import * as Rpc from "@effect/rpc/Rpc"
import * as Schema from "effect/Schema"
import { PayloadStoreError } from "../../services/PayloadStore.js"
import * as Receipt from "../../services/Receipt.js"
import { RpcError } from "../../services/RpcTransport.js"
import { SealedError } from "../../services/Sealing.js"
import { TransactionError } from "../../services/Transactions.js"
import { WalletError } from "../../services/Wallet.js"
import { InvalidInput } from "../../src/InvalidInput.js"
import { MessageType } from "../../src/protocol/MessageType.js"
import { ProgramError } from "../../src/protocol/ProgramError.js"
import * as Address from "../../src/solana/Address.js"
import { AgentClusterError } from "./AgentClusterError.js"

const SendError = Schema.Union(
  AgentClusterError,
  InvalidInput,
  PayloadStoreError,
  ProgramError,
  RpcError,
  SealedError,
  TransactionError,
  WalletError
)

const Send = Rpc.make("Send", {
  payload: {
    /** Identifies the content, and the ask if an earlier one failed. */
    key: Schema.String,
    /** Identifies the ask to which an answer belongs. */
    ask: Schema.String,
    recipient: Address.Schema,
    payload: Schema.Uint8ArrayFromBase64,
    type: MessageType,
    id: Schema.Uint8ArrayFromBase64,
    createdAt: Schema.BigInt,
    seal: Schema.Boolean,
    sealTo: Schema.optional(Schema.Literal("published", "wallet"))
  },
  primaryKey: ({ key }) => key,
  success: Receipt.MessageReceipt,
  error: Schema.Struct({ ask: Schema.String, error: SendError })
})
  .annotate(ClusterSchema.Persisted, true)
  .annotate(ClusterSchema.Uninterruptible, true)

const Where = Rpc.make("Where", { success: Schema.Struct({ host: Schema.String, port: Schema.Int }) })

/** Makes the agent read its inbox. A runner that ends waits for the current message. */
const Read = Rpc.make("Read").annotate(ClusterSchema.Uninterruptible, true)

/** The group of shards for agents. */
export const GROUP = "default"

/** An agent, identified by its wallet's address. */
export const AgentEntity = Entity.make("PodAgent", [Send, Where, Read])
