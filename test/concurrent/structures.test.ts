import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as fc from "effect/FastCheck"
import * as Option from "effect/Option"
import * as AtomicCounter from "../../src/concurrent/AtomicCounter.js"
import * as AtomicQueue from "../../src/concurrent/AtomicQueue.js"
import * as Deque from "../../src/concurrent/internal/Deque.js"
import { LINE_WORDS } from "../../src/concurrent/internal/line.js"
import * as Ring from "../../src/concurrent/internal/Ring.js"
import { InvalidInput } from "../../src/InvalidInput.js"

const refused = (result: Either.Either<unknown, InvalidInput>): InvalidInput => {
  const error = Either.getOrThrow(Either.flip(result))
  expect(error).toBeInstanceOf(InvalidInput)
  return error
}

const ringAt = (capacity: number, start: number): Ring.Ring => {
  const ring = new Ring.Ring(new SharedArrayBuffer(Ring.bytes(capacity)), capacity)
  ring.clear(start)
  return ring
}

const capacities = fc.constantFrom(2, 4, 8, 16)
const starts = fc.constantFrom(0, 2 ** 31 - 5, -5, 2 ** 32 - 3)
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })

describe("AtomicQueue", () => {
  it("Given offers and polls in any order, When they run, Then the queue equals an array, also where positions wrap", () => {
    fc.assert(
      fc.property(capacities, starts, fc.array(fc.option(int32), { maxLength: 200 }), (capacity, start, operations) => {
        const ring = ringAt(capacity, start)
        const model: Array<number> = []
        for (const value of operations) {
          if (value === null) expect(ring.poll()).toEqual(model.shift() ?? Ring.EMPTY)
          else {
            expect(ring.offer(value)).toBe(model.length < capacity)
            if (model.length < capacity) model.push(value)
          }
          expect(ring.size).toBe(model.length)
        }
        expect(ring.repair()).toBe(0)
        for (const value of model) expect(ring.poll()).toBe(value)
      })
    )
  })

  it("Given counters that a dead thread left behind, When others go on, Then nothing is lost, doubled or blocked", () => {
    fc.assert(
      fc.property(
        capacities,
        starts,
        fc.array(fc.option(int32), { maxLength: 60 }),
        fc.infiniteStream(fc.nat(3)),
        (capacity, start, operations, deaths) => {
          const ring = ringAt(capacity, start)
          const words = new Int32Array(ring.buffer)
          const model: Array<number> = []
          for (const value of operations) {
            const before = model.length
            if (value === null) expect(ring.poll()).toEqual(model.shift() ?? Ring.EMPTY)
            else if (ring.offer(value)) model.push(value)
            // The thread dies after it changed the cell and before it moved its counter. Others' moves stand
            const counter = value === null ? LINE_WORDS : 2 * LINE_WORDS
            if (deaths.next().value === 0 && model.length !== before) Atomics.sub(words, counter, 1)
          }
          for (const value of model) expect(ring.poll()).toBe(value)
          expect(ring.poll()).toBeNaN()
          for (let index = 0; index < capacity; index++) expect(ring.offer(index)).toBe(true)
          expect(ring.offer(0)).toBe(false)
        }
      )
    )
  })

  it("Given memory that foreign code wrote into, When it is used, Then it ends, and works after a repair", () => {
    fc.assert(
      fc.property(
        capacities,
        fc.array(int32, { maxLength: 10 }),
        fc.array(fc.tuple(fc.nat(79), fc.oneof(int32, fc.integer({ min: -3, max: 40 }))), { maxLength: 12 }),
        (capacity, values, writes) => {
          const queue = Either.getOrThrow(AtomicQueue.make({ capacity }))
          for (const value of values) queue.offer(value)
          const words = new Int32Array(queue.buffer)
          for (const [index, word] of writes) if (16 + index < words.length) words[16 + index] = word
          for (let count = 0; count < 2 * capacity; count++) {
            queue.offer(count)
            queue.poll()
          }
          queue.repair()
          expect(queue.repair()).toBe(0)
          const left = queue.drain()
          expect(left.length).toBeLessThanOrEqual(capacity)
          for (let index = 0; index < capacity; index++) expect(queue.offer(index)).toEqual(Either.right(true))
          expect(queue.offer(0)).toEqual(Either.right(false))
          expect(queue.drain()).toEqual(Array.from({ length: capacity }, (_, index) => index))
        }
      )
    )
  })

  it.each([0, -1, 1, 1.5, 3, Number.NaN, Infinity, 2 ** 21, 2 ** 31])(
    "Given the capacity %d, When a queue is made, Then it is refused",
    (capacity) => {
      expect(refused(AtomicQueue.make({ capacity })).field).toBe("capacity")
    }
  )

  it.each([2 ** 31, -(2 ** 31) - 1, 0.5, Number.NaN, Infinity])(
    "Given the value %d, When it is offered, Then it is refused and not cut",
    (value) => {
      const queue = Either.getOrThrow(AtomicQueue.make({ capacity: 2 }))
      expect(refused(queue.offer(value)).field).toBe("value")
      expect(queue.size).toBe(0)
    }
  )

  it("Given −0 and the ends of the range, When they pass, Then they come back", () => {
    const queue = Either.getOrThrow(AtomicQueue.make({ capacity: 4 }))
    for (const value of [-0, 2 ** 31 - 1, -(2 ** 31)]) expect(queue.offer(value)).toEqual(Either.right(true))
    expect(queue.poll()).toEqual(Option.some(0))
    expect(queue.drain()).toEqual([2 ** 31 - 1, -(2 ** 31)])
    expect(queue.poll()).toEqual(Option.none())
  })
})

describe("fromBuffer", () => {
  const queue = Either.getOrThrow(AtomicQueue.make({ capacity: 8 }))
  const counter = Either.getOrThrow(AtomicCounter.make({ shards: 8 }))
  const changed = (index: number, word: number, size = queue.buffer.byteLength) => {
    const words = new Int32Array(new SharedArrayBuffer(size))
    words.set(new Int32Array(queue.buffer).subarray(0, words.length))
    words[index] = word
    return words.buffer
  }

  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a number", 7],
    ["not shared", new ArrayBuffer(queue.buffer.byteLength)],
    ["a view", new Int32Array(queue.buffer)],
    ["empty", new SharedArrayBuffer(0)],
    ["too short", new SharedArrayBuffer(4)],
    ["zeros", new SharedArrayBuffer(queue.buffer.byteLength)],
    ["another kind", counter.buffer],
    ["another version", changed(0, 0x514d5032)],
    ["a capacity of 0", changed(1, 0)],
    ["a capacity that is no power of two", changed(1, 7)],
    ["a capacity that is negative", changed(1, -8)],
    ["a capacity beyond its bytes", changed(1, 2 ** 20)],
    ["bytes beyond its capacity", changed(1, 4)],
    ["misaligned", new SharedArrayBuffer(queue.buffer.byteLength + 1)]
  ])("Given a buffer that is %s, When a queue is opened in it, Then it is refused", (_, buffer) => {
    expect(refused(AtomicQueue.fromBuffer(buffer)).field).toBe("buffer")
  })

  it("Given the buffer of a queue, When it is opened twice, Then both are one queue", () => {
    const other = Either.getOrThrow(AtomicQueue.fromBuffer(queue.buffer))
    queue.offer(7)
    expect(other.capacity).toBe(8)
    expect(other.poll()).toEqual(Option.some(7))
    expect(refused(AtomicCounter.fromBuffer(queue.buffer)).field).toBe("buffer")
  })
})

describe("AtomicCounter", () => {
  it("Given additions through several openings, When it is read, Then the sum is exact", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(5), fc.maxSafeInteger())), (additions) => {
        const first = Either.getOrThrow(AtomicCounter.make({ shards: 4 }))
        const all = [
          first,
          ...Array.from({ length: 5 }, () => Either.getOrThrow(AtomicCounter.fromBuffer(first.buffer)))
        ]
        for (const [by, value] of additions) expect(all[by]?.add(value)).toEqual(Either.right(undefined))
        const sum = BigInt.asIntN(
          64,
          additions.reduce((sum, [, value]) => sum + BigInt(value), 0n)
        )
        expect(first.get()).toBe(sum)
        expect(all[5]?.reset()).toBe(sum)
        expect(first.get()).toBe(0n)
      })
    )
  })

  it.each([0, 3, -1, 2048, Number.NaN])("Given %d shards, When it is made, Then they are refused", (shards) => {
    expect(refused(AtomicCounter.make({ shards })).field).toBe("shards")
  })

  it.each([0.5, Number.NaN, Infinity, 2 ** 53])("Given %d, When it is added, Then it is refused", (by) => {
    const counter = Either.getOrThrow(AtomicCounter.make())
    expect(refused(counter.add(by)).field).toBe("by")
    expect(counter.get()).toBe(0n)
  })
})

describe("Deque", () => {
  it("Given pushes, pops and steals in any order, When they run, Then the deque equals an array", () => {
    fc.assert(
      fc.property(
        capacities,
        starts,
        fc.array(fc.oneof(fc.nat(), fc.constant("pop"), fc.constant("steal")), { maxLength: 200 }),
        (capacity, start, operations) => {
          const deque = new Deque.Deque(new SharedArrayBuffer(Deque.bytes(capacity)), capacity)
          deque.clear(start)
          const model: Array<number> = []
          for (const operation of operations) {
            if (operation === "pop") expect(deque.pop()).toBe(model.pop() ?? Deque.NONE)
            else if (operation === "steal") expect(deque.steal()).toBe(model.shift() ?? Deque.NONE)
            else if (typeof operation === "number") {
              expect(deque.push(operation)).toBe(model.length < capacity)
              if (model.length < capacity) model.push(operation)
            }
            expect(deque.size).toBe(model.length)
          }
        }
      )
    )
  })

  it("Given an owner that died inside a pop, When the next one adopts the deque, Then it works on", () => {
    const buffer = new SharedArrayBuffer(Deque.bytes(4))
    const deque = new Deque.Deque(buffer, 4)
    const words = new Int32Array(buffer)
    // Dead after it announced the pop of an empty deque
    words[16] = -1
    expect(deque.steal()).toBe(Deque.NONE)
    deque.adopt()
    for (const item of [1, 2, 3, 4]) expect(deque.push(item)).toBe(true)
    expect(deque.push(5)).toBe(false)
    expect([deque.steal(), deque.pop()]).toEqual([1, 4])
  })
})
