/** Encodings of accounts: base64+zstd, and jsonParsed by owner. */
import { assert, layer } from "@effect/vitest"
import type { Address } from "@solana/kit"
import { Keypair } from "@solana/web3.js"
import * as Effect from "effect/Effect"
import * as fc from "effect/FastCheck"
import * as EmbeddedCluster from "../../../layers/EmbeddedCluster.js"
import { PROGRAM_ID } from "../../../src/protocol/Program.js"
import * as Addresses from "../../../src/solana/Address.js"
import { addressOf } from "../support.js"
import { call, field, value } from "./support.js"

const OPTIONS = { encoding: "jsonParsed" }
const TOKEN_2022 = Addresses.known("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
const STAKE = Addresses.known("Stake11111111111111111111111111111111111111")
const VOTE = Addresses.known("Vote111111111111111111111111111111111111111")
const CONFIG = Addresses.known("Config1111111111111111111111111111111111111")

const u16 = (number: number) => [number & 0xff, number >> 8]
const u32 = (number: number) => [...u16(number & 0xffff), ...u16(number >>> 16)]
const u64 = (number: number) => [...u32(number), 0, 0, 0, 0]
const filled = (length: number, byte: number) => Array.from({ length }, () => byte)
const key = (byte: number) => filled(32, byte)
const addressFilled = (byte: number) => Addresses.fromBytes(Uint8Array.from(key(byte)))
const text = (string: string) => [...u32(string.length), ...Buffer.from(string)]

/** The parsed data of an account that holds the bytes; undefined if it is shown in base64. */
const shown = (owner: Address, data: ReadonlyArray<number>, address = addressOf(Keypair.generate())) =>
  Effect.gen(function* () {
    const cluster = yield* EmbeddedCluster.EmbeddedCluster
    yield* cluster.setAccount({ address, lamports: 1_000_000_000n, owner, data: Uint8Array.from(data) })
    return field(yield* value("getAccountInfo", address, OPTIONS), "data")
  })

/** The parsed sysvar. */
const info = (address: string) =>
  Effect.map(value("getAccountInfo", address, OPTIONS), (account) => field(account, "data", "parsed"))

const fee = (epoch: number) => ({ epoch, maximumFee: 100, transferFeeBasisPoints: 25 })

/** Reads a frame of raw blocks as RFC 8878 defines it. */
const unframed = (frame: Buffer): Buffer => {
  assert.deepStrictEqual(Array.from(frame.subarray(0, 6)), [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58])
  const blocks: Array<Buffer> = []
  for (let at = 6, isLast = false; !isLast;) {
    const header = frame.readUIntLE(at, 3)
    const size = header >> 3
    isLast = (header & 1) === 1
    assert.strictEqual((header >> 1) & 3, 0)
    assert.isAtMost(size, 128 * 1024)
    blocks.push(frame.subarray(at + 3, at + 3 + size))
    at += 3 + size
    if (isLast) assert.strictEqual(at, frame.length)
  }
  return Buffer.concat(blocks)
}

layer(EmbeddedCluster.layer(), { excludeTestServices: true })("accounts", (it) => {
  it.effect("base64+zstd: a stored frame, in blocks of at most 128 KiB, for any size and a slice", () =>
    Effect.gen(function* () {
      const cluster = yield* EmbeddedCluster.EmbeddedCluster
      const [address, owner] = [addressOf(Keypair.generate()), addressOf(Keypair.generate())]
      for (const size of [0, 1, 131_071, 131_072, 131_073, 400_000]) {
        const data = Buffer.alloc(size, "pod")
        yield* cluster.setAccount({ address, lamports: 1n, owner, data })
        const shown = yield* value("getAccountInfo", address, { encoding: "base64+zstd" })
        const [frame, encoding] = [field(shown, "data")].flat()
        assert.strictEqual(encoding, "base64+zstd")
        assert.isTrue(unframed(Buffer.from(String(frame), "base64")).equals(data))
        assert.strictEqual(field(shown, "space"), size)
      }
      const dataSlice = { offset: 2, length: 3 }
      for (const method of ["getAccountInfo", "getMultipleAccounts", "getProgramAccounts"]) {
        const first = method === "getMultipleAccounts" ? [address] : method === "getAccountInfo" ? address : owner
        const reply = yield* call(method, first, { encoding: "base64+zstd", dataSlice })
        const [account] = [field(reply, 0, "account") ?? field(reply, "value", 0) ?? field(reply, "value")].flat()
        assert.strictEqual(unframed(Buffer.from(String(field(account, "data", 0)), "base64")).toString(), "dpo")
      }
    })
  )

  it.effect("jsonParsed sysvars", () =>
    Effect.gen(function* () {
      const slot = yield* call("getSlot", { commitment: "processed" })
      const clock = yield* info("SysvarC1ock11111111111111111111111111111111")
      assert.strictEqual(field(clock, "type"), "clock")
      assert.deepInclude(field(clock, "info"), { slot, epoch: 0, leaderScheduleEpoch: 1 })
      assert.deepStrictEqual(yield* info("SysvarEpochSchedu1e111111111111111111111111"), {
        type: "epochSchedule",
        info: {
          slotsPerEpoch: 432_000,
          leaderScheduleSlotOffset: 432_000,
          warmup: false,
          firstNormalEpoch: 0,
          firstNormalSlot: 0
        }
      })
      const rent = yield* info("SysvarRent111111111111111111111111111111111")
      assert.deepInclude(field(rent, "info"), { lamportsPerByteYear: "6960", exemptionThreshold: 1, burnPercent: 50 })
      const hashes = field(yield* info("SysvarS1otHashes111111111111111111111111111"), "info")
      assert.deepStrictEqual(field(hashes, 0), { slot, hash: field(yield* value("getLatestBlockhash"), "blockhash") })
      const recent = yield* info("SysvarRecentB1ockHashes11111111111111111111")
      assert.strictEqual(field(recent, "type"), "recentBlockhashes")
      assert.isString(field(recent, "info", 0, "feeCalculator", "lamportsPerSignature"))
      const history = yield* info("SysvarS1otHistory11111111111111111111111111")
      assert.lengthOf(String(field(history, "info", "bits")), 1024 * 1024)
      assert.deepStrictEqual(yield* info("SysvarStakeHistory1111111111111111111111111"), {
        type: "stakeHistory",
        info: []
      })
      assert.deepStrictEqual(yield* info("SysvarLastRestartS1ot1111111111111111111111"), {
        type: "lastRestartSlot",
        info: { lastRestartSlot: 0 }
      })
      const rewards = yield* info("SysvarEpochRewards1111111111111111111111111")
      assert.deepInclude(field(rewards, "info"), { active: false, totalRewards: "0", distributedRewards: "0" })
      const fees = yield* info("SysvarFees111111111111111111111111111111111")
      assert.isString(field(fees, "info", "feeCalculator", "lamportsPerSignature"))
    })
  )

  it.effect("jsonParsed programs of the upgradeable loader", () =>
    Effect.gen(function* () {
      const program = yield* value("getAccountInfo", PROGRAM_ID, OPTIONS)
      const programData = String(field(program, "data", "parsed", "info", "programData"))
      assert.deepStrictEqual(field(program, "data"), {
        program: "bpf-upgradeable-loader",
        parsed: { type: "program", info: { programData } },
        space: 36
      })
      const bytes = yield* value("getAccountInfo", programData, OPTIONS)
      assert.strictEqual(field(bytes, "data", "parsed", "type"), "programData")
      const [code] = [field(bytes, "data", "parsed", "info", "data")].flat()
      assert.strictEqual(Buffer.from(String(code), "base64").toString("latin1", 1, 4), "ELF")
      const buffer = yield* shown(Addresses.known("BPFLoaderUpgradeab1e11111111111111111111111"), [
        ...u32(1),
        1,
        ...key(7),
        1,
        2,
        3
      ])
      assert.deepStrictEqual(field(buffer, "parsed"), {
        type: "buffer",
        info: { authority: addressFilled(7), data: ["AQID", "base64"] }
      })
    })
  )

  it.effect("jsonParsed Token-2022 mints with their extensions", () =>
    Effect.gen(function* () {
      const extension = (type: number, data: ReadonlyArray<number>) => [...u16(type), ...u16(data.length), ...data]
      const mint = [...u32(1), ...key(1), ...u64(500), 2, 1, ...u32(0), ...key(0)]
      const data = [
        ...mint,
        ...filled(165 - mint.length, 0),
        1,
        ...extension(3, key(9)),
        ...extension(10, [...key(0), ...u64(5), ...u16(30), ...u64(6), ...u16(40)]),
        ...extension(18, [...key(3), ...key(4)]),
        ...extension(19, [
          ...key(3),
          ...key(4),
          ...text("Pod"),
          ...text("POD"),
          ...text("https://pod"),
          ...u32(1),
          ...text("a"),
          ...text("b")
        ]),
        ...extension(9, []),
        ...extension(1, [
          ...key(5),
          ...key(0),
          ...u64(11),
          ...[1, 2].flatMap((epoch) => [...u64(epoch), ...u64(100), ...u16(25)])
        ]),
        ...extension(99, [1, 2])
      ]
      const parsed = yield* shown(TOKEN_2022, data)
      assert.strictEqual(field(parsed, "program"), "spl-token-2022")
      assert.deepStrictEqual(field(parsed, "parsed"), {
        type: "mint",
        info: {
          mintAuthority: addressFilled(1),
          supply: "500",
          decimals: 2,
          isInitialized: true,
          freezeAuthority: null,
          extensions: [
            { extension: "mintCloseAuthority", state: { closeAuthority: addressFilled(9) } },
            {
              extension: "interestBearingConfig",
              state: {
                rateAuthority: null,
                initializationTimestamp: 5,
                preUpdateAverageRate: 30,
                lastUpdateTimestamp: 6,
                currentRate: 40
              }
            },
            {
              extension: "metadataPointer",
              state: { authority: addressFilled(3), metadataAddress: addressFilled(4) }
            },
            {
              extension: "tokenMetadata",
              state: {
                updateAuthority: addressFilled(3),
                mint: addressFilled(4),
                name: "Pod",
                symbol: "POD",
                uri: "https://pod",
                additionalMetadata: [["a", "b"]]
              }
            },
            { extension: "nonTransferable" },
            {
              extension: "transferFeeConfig",
              state: {
                transferFeeConfigAuthority: addressFilled(5),
                withdrawWithheldAuthority: null,
                withheldAmount: 11,
                olderTransferFee: fee(1),
                newerTransferFee: fee(2)
              }
            },
            { extension: "unparseableExtension" }
          ]
        }
      })
    })
  )

  it.effect("jsonParsed stake, vote and config accounts", () =>
    Effect.gen(function* () {
      const meta = [...u64(2_282_880), ...key(1), ...key(2), ...u64(0), ...u64(3), ...key(4)]
      const stake = yield* shown(STAKE, [
        ...u32(2),
        ...meta,
        ...key(5),
        ...u64(1000),
        ...u64(7),
        ...filled(8, 255),
        ...Buffer.from(new Float64Array([0.25]).buffer),
        ...u64(9),
        0
      ])
      assert.deepStrictEqual(field(stake, "parsed"), {
        type: "delegated",
        info: {
          meta: {
            rentExemptReserve: "2282880",
            authorized: { staker: addressFilled(1), withdrawer: addressFilled(2) },
            lockup: { unixTimestamp: 0, epoch: 3, custodian: addressFilled(4) }
          },
          stake: {
            delegation: {
              voter: addressFilled(5),
              stake: "1000",
              activationEpoch: "7",
              deactivationEpoch: "18446744073709551615",
              warmupCooldownRate: 0.25
            },
            creditsObserved: 9
          }
        }
      })
      const vote = yield* shown(VOTE, [
        ...u32(2),
        ...key(1),
        ...key(2),
        10,
        ...u64(1),
        1,
        ...u64(50),
        ...u32(31),
        1,
        ...u64(49),
        ...u64(1),
        ...u64(0),
        ...key(3),
        ...filled(32 * 48 + 8, 0),
        1,
        ...u64(1),
        ...u64(0),
        ...u64(5),
        ...u64(4),
        ...u64(50),
        ...u64(1_700_000_000)
      ])
      assert.deepInclude(field(vote, "parsed", "info"), {
        nodePubkey: addressFilled(1),
        authorizedWithdrawer: addressFilled(2),
        commission: 10,
        votes: [{ latency: 1, slot: 50, confirmationCount: 31 }],
        rootSlot: 49,
        authorizedVoters: [{ epoch: 0, authorizedVoter: addressFilled(3) }],
        priorVoters: [],
        epochCredits: [{ epoch: 0, credits: "5", previousCredits: "4" }],
        lastTimestamp: { slot: 50, timestamp: 1_700_000_000 }
      })
      const validatorInfo = Addresses.toBytes(Addresses.known("Va1idator1nfo111111111111111111111111111111"))
      const json = '{"name":"pod"}'
      const config = yield* shown(CONFIG, [
        2,
        ...validatorInfo,
        0,
        ...key(6),
        1,
        ...u64(json.length),
        ...Buffer.from(json)
      ])
      assert.deepStrictEqual(field(config, "parsed"), {
        type: "validatorInfo",
        info: {
          keys: [
            { pubkey: Addresses.fromBytes(validatorInfo), signer: false },
            { pubkey: addressFilled(6), signer: true }
          ],
          configData: { name: "pod" }
        }
      })
    })
  )

  it.effect("jsonParsed of any bytes under any owner: an object or base64, and the cluster continues", () =>
    Effect.gen(function* () {
      const token = Addresses.known("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
      const loader = Addresses.known("BPFLoaderUpgradeab1e11111111111111111111111")
      const table = Addresses.known("AddressLookupTab1e1111111111111111111111111")
      const owners = [TOKEN_2022, token, STAKE, VOTE, CONFIG, loader, table, Addresses.SYSTEM_PROGRAM]
      const bytes = fc.uint8Array({ maxLength: 400 })
      const cases = fc.sample(fc.tuple(fc.constantFrom(...owners), fc.integer({ min: 0, max: 4 }), bytes), 300)
      for (const [owner, tag, data] of cases) {
        const found = yield* shown(owner, [...u32(tag), ...data])
        assert.isTrue(Array.isArray(found) || typeof field(found, "parsed") === "object")
      }
    })
  )
})
