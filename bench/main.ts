/**
 * Runs one benchmark: `npm run -s bench -- NAME [--json]`. Only this benchmark is loaded. It gets the arguments after its
 * name.
 */

interface Benchmark {
  readonly run: (args: ReadonlyArray<string>) => Promise<void>
}

const benchmarks: { readonly [name: string]: () => Promise<Benchmark> } = {
  buffers: () => import("./buffers.js"),
  cluster: () => import("./cluster.js"),
  followers: () => import("./followers.js"),
  hotpath: () => import("./hotpath.js"),
  memory: () => import("./memory.js"),
  observe: () => import("./observe.js"),
  payloads: () => import("./payloads.js"),
  reading: () => import("./reading.js"),
  reputation: () => import("./reputation.js"),
  soak: () => import("./soak.js"),
  startup: () => import("./startup.js"),
  transport: () => import("./transport.js")
}

const [name = "", ...args] = process.argv.slice(2)
const load = Object.hasOwn(benchmarks, name) ? benchmarks[name] : undefined
if (load === undefined) {
  console.error(`usage: npm run -s bench -- NAME [--json], where NAME is ${Object.keys(benchmarks).join(", ")}`)
  process.exitCode = 1
} else {
  await (await load()).run(args)
}
