/** Writes the time and the recent blocks to the machine's sysvars, only before they can be read: each write is slow. */
import type { ChainState, ShownTime } from "./ChainState.js"
import * as Sysvars from "./Sysvars.js"

export const epochOf = (slot: number): number => Math.floor(slot / Sysvars.SLOTS_PER_EPOCH)

export const writeTime = ({ epochStart, svm }: ChainState, { slot, time }: ShownTime): void =>
  svm.setTime({ slot, epoch: epochOf(slot), unixTime: time, epochStart })

export const writeSlotHashes = ({ slotHashes, svm }: ChainState): void => {
  if (slotHashes.isWritten) return
  svm.setSlotHashes(slotHashes.data)
  slotHashes.isWritten = true
}

/** Writes the time of the newest bank and all slot hashes. */
export const write = (state: ChainState): void => {
  writeTime(state, state.shownTime)
  writeSlotHashes(state)
}
