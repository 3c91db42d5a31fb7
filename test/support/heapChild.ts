/**
 * Loads a wallet from `file PATH` or `setting` (POD_WALLET), and signs, derives and unseals with it. Prints the texts
 * of standard input that a heap snapshot contains.
 */
import { text } from "node:stream/consumers"
import { getHeapSnapshot } from "node:v8"
import * as Effect from "effect/Effect"
import * as WalletNode from "../../layers/WalletNode.js"
import { Wallet } from "../../services/Wallet.js"

const [source = "", path = ""] = process.argv.slice(2)

const layer = source === "file" ? WalletNode.layerFile(path) : WalletNode.layerConfig

const bytes = (size: number) => new Uint8Array(size).fill(1)
const main = async (): Promise<void> => {
  const { address } = await Effect.runPromise(
    Effect.tap(Wallet, ({ derive, sign, unseal }) =>
      Effect.all([
        sign([bytes(100)]),
        derive?.(bytes(32)) ?? Effect.dieMessage("the wallet derives nothing"),
        unseal?.({ enc: bytes(32), ciphertext: bytes(64) }, bytes(8)) ?? Effect.dieMessage("the wallet unseals nothing")
      ])
    ).pipe(Effect.provide(layer))
  )
  const snapshot = await text(getHeapSnapshot())
  // Read after the snapshot: otherwise the heap would contain them.
  const wanted: ReadonlyArray<string> = JSON.parse(await text(process.stdin))
  console.log(
    JSON.stringify({ sees: snapshot.includes(address), found: wanted.map((secret) => snapshot.includes(secret)) })
  )
}

void main()
