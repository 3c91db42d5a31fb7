/** Sends the three compressed instructions of the program, for `Channel`. */
import type { Address } from "@solana/kit"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Instruction from "../../src/protocol/Instruction.js"
import { Text } from "../../src/protocol/MessageType.js"
import * as Rules from "../../src/protocol/Rules.js"
import * as Clock from "../internal/clock.js"
import * as Metrics from "../Metrics.js"
import * as Submit from "../program/submit.js"
import type { SendOptions } from "../Transactions.js"
import type { CompressedBroadcastInput, CompressedJoinInput, SyncInput } from "./Input.js"

/** The addresses of a wallet in a channel. */
export interface Member {
  readonly wallet: Address
  readonly agent: Address
  readonly participant: Address
  readonly channel: Address
  readonly programId: Address
}

const sent = Metrics.messagesSentOf("compressed")

export const make = Effect.map(Submit.make, (submit) => ({
  broadcast: (
    member: Member,
    { compression, content, ipfsHash, replyTo, type = Text }: CompressedBroadcastInput,
    options?: SendOptions
  ) =>
    Effect.gen(function* () {
      yield* Rules.checkCompressedContent(content)
      yield* Rules.checkIpfsHash(ipfsHash)
      const instruction = yield* Instruction.broadcastMessageCompressed({
        ...member,
        content,
        type,
        replyTo,
        ipfsHash,
        compression
      })
      const receipt = yield* submit.plain([instruction], options)
      yield* Metric.increment(sent)
      return receipt
    }),

  join: (
    member: Member & { readonly invitation: Address | undefined },
    { compression, metadataHash }: CompressedJoinInput,
    options?: SendOptions
  ) =>
    Effect.gen(function* () {
      const instruction = yield* Instruction.joinChannelCompressed({ ...member, metadataHash, compression })
      return yield* submit.plain([instruction], options)
    }),

  sync: (
    { channel, programId, wallet }: Member,
    { compression, messageHashes, syncTimestamp }: SyncInput,
    options?: SendOptions
  ) =>
    Effect.gen(function* () {
      yield* Rules.checkMessageHashes(messageHashes)
      const now = BigInt(Math.floor((yield* Clock.wallMillis) / 1000))
      const instruction = yield* Instruction.batchSyncCompressedMessages({
        wallet,
        channel,
        messageHashes,
        syncTimestamp: syncTimestamp ?? now,
        compression,
        programId
      })
      return yield* submit.plain([instruction], options)
    })
}))
