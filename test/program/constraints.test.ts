/** What every instruction checks before its own rules, by replacing one account of a good call. */
import { describe, expect, it } from "@effect/vitest"
import type { AccountMeta, Address } from "@solana/kit"
import * as Instruction from "../../src/protocol/Instruction.js"
import { PROGRAM_ID } from "../../src/protocol/Program.js"
import * as Addresses from "../../src/solana/Address.js"
import { call, type Call, type Slot, slots, tags } from "./calls.js"
import { type Outcome, start } from "./harness.js"
import { expectAccountRefusal, expectEscalation, expectKeys, expectRefusal, expectSuccess } from "./refusals.js"
import { URI } from "./scenario.js"

const calls = new Map<Slot["tag"], Call>()

/** One call for all tests of an instruction that expect a refusal: it changes nothing but the sponsor's balance. */
const refusable = (tag: Slot["tag"]): Call => {
  const made = calls.get(tag) ?? call(tag)
  calls.set(tag, made)
  return made
}

const named = (slot: Slot) => [`${slot.tag}.${slot.name}`, slot] as const
const loaded = slots.filter(({ kind }) => kind === "loaded").map(named)
const NOWHERE = Addresses.fromBytes(new Uint8Array(32).fill(200))

const sendWith = (
  { instruction, scene, sponsor }: Call,
  accounts: ReadonlyArray<AccountMeta>,
  data = instruction.data
): Outcome => scene.when(sponsor, { ...instruction, accounts, data })

const replace = (made: Call, { position }: Slot, change: (meta: AccountMeta) => AccountMeta): Outcome =>
  sendWith(
    made,
    made.instruction.accounts.map((meta, index) => (index === position ? change(meta) : meta))
  )

const at = (address: Address) => (meta: AccountMeta) => ({ ...meta, address })

const addressIn = ({ instruction }: Call, { position }: Slot): Address =>
  instruction.accounts[position]?.address ?? expect.fail("no such account")

const edited = (slot: Slot, edit: (data: Uint8Array) => Uint8Array | void): Outcome => {
  const made = refusable(slot.tag)
  const { chain } = made.scene
  const address = addressIn(made, slot)
  const before = chain.data(address)
  chain.edit(address, edit)
  const outcome = sendWith(made, made.instruction.accounts)
  chain.edit(address, () => before)
  return outcome
}

describe("every instruction", () => {
  it.each(tags)("Given %s, When its accounts and arguments are right, Then it logs its name and succeeds", (tag) => {
    const made = call(tag)
    const outcome = sendWith(made, made.instruction.accounts)
    expectSuccess(outcome)
    expect(outcome.logs).toContain(`Program log: Instruction: ${tag}`)
  })

  it.each(tags)("Given %s, When trailing bytes and accounts follow, Then they are ignored", (tag) => {
    const made = call(tag)
    // The participant account of a compressed join may be left out: what follows it is extra.
    const extra = { address: NOWHERE, role: 0 as const }
    const data = Uint8Array.of(...made.instruction.data, 1, 2, 3)
    expectSuccess(sendWith(made, [...made.instruction.accounts, extra], data))
  })

  it.each(tags.filter((tag) => refusable(tag).instruction.data.length > 8))(
    "Given %s, When its arguments are cut short, Then it fails with 102",
    (tag) => {
      const made = refusable(tag)
      for (let length = 8; length < made.instruction.data.length; length += 7) {
        expectRefusal(sendWith(made, made.instruction.accounts, made.instruction.data.slice(0, length)), 102)
      }
    }
  )

  it.each([[], [1, 2, 3], [0, 0, 0, 0, 0, 0, 0, 0], [0x87, 0x9d, 0x42, 0xc3, 0x02, 0x71, 0xaf, 0x1f]])(
    "Given an unknown discriminator (%#), When it is sent, Then it fails with 101",
    (...data) => {
      const made = refusable("RegisterAgent")
      expectRefusal(sendWith(made, made.instruction.accounts, Uint8Array.from(data)), 101)
    }
  )

  it("Given the program at another address, When it is called, Then it fails with 4100", () => {
    const elsewhere = start(NOWHERE)
    const wallet = elsewhere.wallet(1)
    const register = { wallet, capabilities: 1n, metadataUri: URI, programId: NOWHERE }
    expectRefusal(elsewhere.send(wallet, Instruction.registerAgent(register)), 4100)
  })
})

describe("every account", () => {
  it.each(slots.filter(({ isOptional, kind }) => !(isOptional && kind === "created")).map(named))(
    "Given %s, When the list ends before it, Then it fails with 3005",
    (_, slot) => {
      const made = refusable(slot.tag)
      expectAccountRefusal(sendWith(made, made.instruction.accounts.slice(0, slot.position)), 3005, slot.name)
    }
  )
})

describe("every account of the program's", () => {
  it.each(loaded)("Given %s, When it does not exist, Then it fails with 3012", (_, slot) => {
    expectAccountRefusal(replace(refusable(slot.tag), slot, at(NOWHERE)), 3012, slot.name)
  })

  it.each(loaded)("Given %s, When it is a wallet, Then it fails with 3007", (_, slot) => {
    const made = refusable(slot.tag)
    const outcome = replace(made, slot, at(made.scene.dave))
    expectKeys(outcome, 3007, slot.name, Addresses.SYSTEM_PROGRAM, PROGRAM_ID)
  })

  it.each(loaded)("Given %s, When it is shorter than a discriminator, Then it fails with 3001", (_, slot) => {
    expectAccountRefusal(
      edited(slot, (data) => data.slice(0, 7)),
      3001,
      slot.name
    )
  })

  it.each(loaded)("Given %s, When it is another account, Then it fails with 3002", (_, slot) => {
    expectAccountRefusal(
      edited(slot, (data) => {
        data[7] = (data[7] ?? 0) ^ 1
      }),
      3002,
      slot.name
    )
  })

  it.each(loaded)("Given %s, When it is cut short, Then it fails with 3003", (_, slot) => {
    expectAccountRefusal(
      edited(slot, (data) => data.slice(0, 40)),
      3003,
      slot.name
    )
  })

  // Of a channel's own seeds nothing is checked: accounts below it are derived from its address.
  const derived = loaded.filter(([, { name, tag }]) => !(name === "channel_account" || tag.includes("Compressed")))

  it.each(derived)("Given %s, When it lies at an address not its own, Then it fails with 2006", (_, slot) => {
    const made = call(slot.tag)
    const { chain } = made.scene
    chain.put(NOWHERE, { data: chain.data(addressIn(made, slot)) })
    const outcome = replace(made, slot, at(NOWHERE))
    expect(outcome.code).toBe(2006)
    expect(outcome.logs.join("\n")).toMatch(
      /Program log: Left:\nProgram log: \w+\nProgram log: Right:\nProgram log: \w+/
    )
  })

  const written = loaded.filter(
    ([, { isWritable, name, tag }]) => isWritable && !(tag === "InviteToChannel" && name === "agent_account")
  )

  it.each(written)("Given %s, When it is passed readonly, Then it fails with 2000", (_, slot) => {
    const outcome = replace(refusable(slot.tag), slot, (meta) => ({ ...meta, role: 0 }))
    expectAccountRefusal(outcome, 2000, slot.name)
  })
})

describe("every new account", () => {
  const created = slots.filter(({ kind }) => kind === "created").map(named)

  it.each(created)(
    "Given %s, When it lies at another address, Then it fails with 2006 with both addresses",
    (_, slot) => {
      const made = refusable(slot.tag)
      const outcome = replace(made, slot, at(NOWHERE))
      expect(outcome.code).toBe(2006)
      // A new channel's address is a seed of its first participant, so the channel is looked at first.
      expectKeys(outcome, 2006, slot.name, NOWHERE, addressIn(made, slot))
    }
  )

  it.each(created)("Given %s, When it is passed readonly, Then the runtime refuses", (_, slot) => {
    expectEscalation(replace(refusable(slot.tag), slot, (meta) => ({ ...meta, role: 0 })))
  })
})

describe("every signer", () => {
  const signers = slots.filter(({ kind }) => kind === "signer").map(named)

  it.each(signers)("Given %s, When it did not sign, Then it fails with 3010", (_, slot) => {
    // A wallet that signs elsewhere in the list would still sign: another takes its place.
    const made = refusable(slot.tag)
    expectAccountRefusal(
      replace(made, slot, (meta) => ({ address: NOWHERE, role: meta.role === 3 ? 1 : 0 })),
      3010,
      slot.name
    )
  })

  it.each(signers.filter(([, { isWritable }]) => isWritable))(
    "Given %s, When it is passed readonly, Then it is refused",
    (_, slot) => {
      const made = refusable(slot.tag)
      const fresh = made.scene.chain.wallet(98)
      // Where the payer need not be the one who acts, he is somebody that nothing else makes writable.
      const isPayer = slot.name === "fee_payer"
      const outcome = replace(made, slot, (meta) => ({ address: isPayer ? fresh : meta.address, role: 2 }))
      if (slot.creates) expectEscalation(outcome)
      else expectAccountRefusal(outcome, 2000, slot.name)
    }
  )
})

describe("every program", () => {
  const programs = slots.filter(({ kind }) => kind === "program").map(named)

  it.each(programs)("Given %s, When it is another program, Then it fails with 3008", (_, slot) => {
    const made = refusable(slot.tag)
    expectKeys(replace(made, slot, at(PROGRAM_ID)), 3008, slot.name, PROGRAM_ID, addressIn(made, slot))
  })

  it.each(programs.filter(([, { name }]) => name === "compression_program"))(
    "Given %s, When the cluster does not have it, Then it fails with 3009",
    (_, slot) => {
      const made = call(slot.tag)
      made.scene.chain.put(addressIn(made, slot), { executable: false, lamports: 1n })
      expectAccountRefusal(sendWith(made, made.instruction.accounts), 3009, slot.name)
    }
  )
})

describe("every optional account", () => {
  it.each(slots.filter(({ isOptional, kind }) => isOptional && kind === "loaded").map(named))(
    "Given %s, When the program's id replaces it, Then the instruction runs without it",
    (_, slot) => {
      const codes: Readonly<Record<string, number>> = {
        "JoinChannel.invitation_account": 6013,
        "JoinChannel.escrow_account": 6007,
        "InviteToChannel.participant_account": 6001,
        "JoinChannelCompressed.invitation_account": 6013
      }
      const outcome = replace(refusable(slot.tag), slot, () => ({ address: PROGRAM_ID, role: 0 }))
      expectRefusal(outcome, codes[`${slot.tag}.${slot.name}`] ?? 0)
    }
  )
})
