/** Finds suspected faults among fibers. A lint is a suspicion, not a proof. */
import type { FiberView, Lint } from "./Model.js"
import { type Group, shownGroup } from "./Tracker.js"

/** Maximum duration of a turn, for which sockets and timers wait. */
const LONG_POLL_MILLIS = 50

const SPINS_PER_SECOND = 1000

/** Minimum ended fibers of a group for the lint, and the factor by which a wait must exceed their longest life. */
const ENOUGH_ENDED = 10
const TIMES_LONGER = 10

/** Minimum fibers of a group that piles up. */
const PILE = 100

/** Maximum fibers of a lint. */
const MAX_NAMED = 20

const lint = (kind: Lint["kind"], fibers: ReadonlyArray<FiberView>, message: string): ReadonlyArray<Lint> =>
  fibers.length === 0 ? [] : [{ kind, fibers: fibers.slice(0, MAX_NAMED).map(({ id }) => id), message }]

const named = ({ group, id }: FiberView): string => `#${id} ${group}`

const one = (kind: Lint["kind"], fibers: ReadonlyArray<FiberView>, message: (fiber: FiberView) => string) =>
  fibers.slice(0, MAX_NAMED).flatMap((fiber) => lint(kind, [fiber], message(fiber)))

/** Fibers that wait for one another in a circle. Each circle is found once. */
const deadlocks = (fibers: ReadonlyArray<FiberView>): ReadonlyArray<Lint> => {
  const byId = new Map(fibers.map((fiber) => [fiber.id, fiber]))
  const done = new Set<number>()
  const found: Array<Lint> = []
  for (const start of fibers) {
    const path: Array<FiberView> = []
    let at: FiberView | undefined = start
    while (at !== undefined && !done.has(at.id)) {
      done.add(at.id)
      path.push(at)
      // A fiber that waits for several fibers is not stuck because of one of them
      const [next, ...others]: ReadonlyArray<number> = at.waitsFor
      at = next === undefined || others.length > 0 ? undefined : byId.get(next)
    }
    const from = at === undefined ? -1 : path.indexOf(at)
    const circle = from === -1 ? [] : path.slice(from)
    found.push(
      ...lint("deadlock", circle, `${circle.map(named).join(" waits for ")} waits for the first: none can go on`)
    )
  }
  return found
}

const byGroup = (fibers: ReadonlyArray<FiberView>): ReadonlyMap<string, ReadonlyArray<FiberView>> => {
  const groups = new Map<string, Array<FiberView>>()
  for (const fiber of fibers) {
    const others = groups.get(fiber.group)
    if (others === undefined) groups.set(fiber.group, [fiber])
    else others.push(fiber)
  }
  return groups
}

const ofGroup = (
  group: string,
  { ended, live, liveBefore, longestLifeMillis }: Group,
  fibers: ReadonlyArray<FiberView>
): ReadonlyArray<Lint> => [
  ...lint(
    "waits long",
    ended < ENOUGH_ENDED
      ? []
      : fibers.filter(
          ({ state, waitsMillis }) => state === "suspended" && waitsMillis > TIMES_LONGER * longestLifeMillis
        ),
    `${group}: waits more than ${TIMES_LONGER} times as long as any of ${ended} ended fibers lived`
  ),
  ...lint(
    "piles up",
    live >= PILE && liveBefore !== undefined && live >= 2 * liveBefore ? fibers : [],
    `${group}: ${live} fibers live, twice as many as seconds ago`
  ),
  ...lint(
    "orphan",
    fibers.filter(({ isOrphan }) => isOrphan),
    `${group}: the fibers that started these have ended: only a Scope ends them`
  )
]

/** Groups whose names look alike share their fibers here. */
const ofGroups = (
  members: ReadonlyMap<string, ReadonlyArray<FiberView>>,
  groups: ReadonlyMap<string, Group>
): ReadonlyArray<Lint> =>
  Array.from(groups).flatMap(([name, group]) => {
    const shown = shownGroup(name)
    return ofGroup(shown, group, members.get(shown) ?? [])
  })

/** All lints, the gravest first. The time is linear in the number of fibers. */
export const of = (fibers: ReadonlyArray<FiberView>, groups: ReadonlyMap<string, Group>): ReadonlyArray<Lint> => [
  ...deadlocks(fibers),
  ...one(
    "long poll",
    fibers.filter(({ longestPollMillis }) => longestPollMillis > LONG_POLL_MILLIS),
    (fiber) =>
      `${named(fiber)} ran for ${Math.round(fiber.longestPollMillis)} ms without a pause: nothing else ran meanwhile`
  ),
  ...one(
    "spins",
    fibers.filter(({ pollsPerSecond }) => pollsPerSecond > SPINS_PER_SECOND),
    (fiber) => `${named(fiber)} wakes ${Math.round(fiber.pollsPerSecond)} times a second: it may wait in a loop`
  ),
  ...ofGroups(byGroup(fibers), groups)
]
