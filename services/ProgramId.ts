/**
 * The address of the deployed program that the services use.
 *
 * @since 0.1.0
 */
import type { Address } from "@solana/kit"
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import { PROGRAM_ID } from "../src/protocol/Program.js"

/**
 * The address of the PoD program. Without a layer it is `PROGRAM_ID`, the address of the published program on every
 * public cluster.
 *
 * @since 0.1.0
 * @category tags
 */
export class ProgramId extends Context.Reference<ProgramId>()("@pod-protocol/effect/ProgramId", {
  defaultValue: (): Address => PROGRAM_ID
}) {}

/**
 * Uses a program deployed at another address.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer = (programId: Address): Layer.Layer<ProgramId> => Layer.succeed(ProgramId, programId)
