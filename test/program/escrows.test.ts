import { describe, expect, it } from "@effect/vitest"
import { lamports } from "@solana/kit"
import * as Account from "../../src/protocol/Account.js"
import * as Event from "../../src/protocol/Event.js"
import * as Instruction from "../../src/protocol/Instruction.js"
import * as Pda from "../../src/protocol/Pda.js"
import { SYSTEM_PROGRAM } from "../../src/solana/Address.js"
import { START } from "./harness.js"
import { expectAccountRefusal, expectRefusal, expectSystemRefusal } from "./refusals.js"
import { DEPOSIT, eventsOf, expectAccount, read, rewrite, scenario } from "./scenario.js"

const RENT = 1_559_040n

describe("DepositEscrow", () => {
  it("Given a channel, When a wallet deposits twice, Then both are counted", () => {
    const scene = scenario()
    const { chain, dave, given, paid } = scene
    const { address, bump } = Pda.escrow(paid, dave)
    const outcome = given(dave, Instruction.depositEscrow({ wallet: dave, channel: paid, amount: 10n }))
    const escrow = { channel: paid, depositor: dave, amount: lamports(10n), createdAt: START, bump }
    expectAccount(chain, address, 96, new Account.EscrowAccount(escrow))
    chain.advance(1n)
    given(dave, Instruction.depositEscrow({ wallet: dave, channel: paid, amount: 5n }))
    expectAccount(chain, address, 96, new Account.EscrowAccount({ ...escrow, amount: lamports(15n) }))
    expect(chain.balance(address)).toBe(RENT + 15n)
    expect(read(scene, Account.decodeChannel, paid).escrowBalance).toBe(15n)
    expect(eventsOf(outcome)).toEqual([
      new Event.EscrowDeposit({ channel: paid, depositor: dave, amount: lamports(10n), timestamp: START })
    ])
  })

  it.each([0n, 10_000_000_001n, 2n ** 64n - 1n])(
    "Given %d lamports, When they are deposited, Then it fails with 6007",
    (amount) => {
      const { dave, paid, when } = scenario()
      expectRefusal(when(dave, Instruction.depositEscrow({ wallet: dave, channel: paid, amount })), 6007)
    }
  )

  it("Given a wallet that has less, When it deposits, Then the System program refuses", () => {
    const { alice, chain, paid, when } = scenario()
    const poor = chain.wallet(5)
    chain.put(poor, { lamports: 4_000_000n, owner: SYSTEM_PROGRAM })
    expectSystemRefusal(when(alice, Instruction.depositEscrow({ wallet: poor, channel: paid, amount: 10_000_000n })), 1)
  })
})

describe("WithdrawEscrow", () => {
  it("Given an escrow, When its depositor withdraws all, Then the lamports return and the account stays", () => {
    const scene = scenario()
    const { alice, bob, chain, given, vault } = scene
    const { address } = Pda.escrow(vault, bob)
    const before = read(scene, Account.decodeEscrow, address)
    const owned = chain.balance(bob)
    const outcome = given(alice, Instruction.withdrawEscrow({ wallet: bob, channel: vault, amount: DEPOSIT }))
    expect(chain.balance(bob)).toBe(owned + DEPOSIT)
    expect(chain.balance(address)).toBe(RENT)
    expectAccount(chain, address, 96, new Account.EscrowAccount({ ...before, amount: lamports(0n) }))
    expect(read(scene, Account.decodeChannel, vault).escrowBalance).toBe(0n)
    expect(eventsOf(outcome)).toEqual([
      new Event.EscrowWithdrawal({ channel: vault, depositor: bob, amount: lamports(DEPOSIT), timestamp: START })
    ])
  })

  it("Given an escrow, When 0 lamports are withdrawn, Then it succeeds", () => {
    const { bob, given, vault } = scenario()
    given(bob, Instruction.withdrawEscrow({ wallet: bob, channel: vault, amount: 0n }))
  })

  it("Given an escrow, When more is withdrawn, Then it fails with 6007", () => {
    const { bob, vault, when } = scenario()
    expectRefusal(when(bob, Instruction.withdrawEscrow({ wallet: bob, channel: vault, amount: DEPOSIT + 1n })), 6007)
  })

  it("Given a channel that counts less, When an escrow is withdrawn, Then it fails with 6007 and does not abort", () => {
    const scene = scenario()
    const { bob, vault, when } = scene
    rewrite(
      scene,
      vault,
      Account.decodeChannel,
      (value) => new Account.ChannelAccount({ ...value, escrowBalance: lamports(value.escrowBalance - 1n) })
    )
    expectRefusal(when(bob, Instruction.withdrawEscrow({ wallet: bob, channel: vault, amount: DEPOSIT })), 6007)
  })

  it("Given an escrow that names another depositor, When it is withdrawn, Then it fails with 6001 on the account", () => {
    const scene = scenario()
    const { alice, bob, vault, when } = scene
    rewrite(
      scene,
      Pda.escrow(vault, bob).address,
      Account.decodeEscrow,
      (value) => new Account.EscrowAccount({ ...value, depositor: alice })
    )
    const withdraw = Instruction.withdrawEscrow({ wallet: bob, channel: vault, amount: 1n })
    expectAccountRefusal(when(bob, withdraw), 6001, "escrow_account")
  })
})
