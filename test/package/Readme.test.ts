import { type ChildProcess, execFile, spawn } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import * as fs from "node:fs/promises"
import * as path from "node:path"
import { createInterface } from "node:readline"
import { promisify } from "node:util"
import * as esbuild from "esbuild"
import ts from "typescript"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { root } from "../../scripts/publicModules.js"
import { install } from "./project.js"

const run = promisify(execFile)
const readme = readFileSync(path.join(root, "README.md"), "utf8")
const manifest: { readonly peerDependencies: Record<string, string>; readonly bin: Record<string, string> } =
  JSON.parse(readFileSync(path.join(root, "package.json"), "utf8"))

/** Peers of single parts, which the text beside the install line names. */
const OPTIONAL = [
  "@effect/cluster",
  "@effect/experimental",
  "@effect/rpc",
  "@effect/sql",
  "@noble/ciphers",
  "@noble/curves",
  "@photostructure/sqlite",
  "aws4fetch",
  "sodium-native"
]

const capture = (pattern: RegExp): ReadonlyArray<string> => [...readme.matchAll(pattern)].map(([, text = ""]) => text)

/** The packages of the install line, with their ranges. */
const installed = (capture(/^ {4}npm install (.*)$/gm)[0] ?? "").split(" ").map((text) => {
  const at = text.lastIndexOf("@")
  return at > 0 ? ([text.slice(0, at), text.slice(at + 1)] as const) : ([text, ""] as const)
})
const peers = installed.map(([name]) => name).filter((name) => name !== "@pod-protocol/effect")

/** The TypeScript under a heading. */
const exampleOf = (heading: string): string => {
  const [, section = ""] = readme.split(`\n## ${heading}\n`)
  return /```ts\n([\s\S]*?)```/.exec(section.split("\n## ")[0] ?? "")?.[1] ?? ""
}

describe("the README", { timeout: 300_000 }, () => {
  let project = ""
  let localnet: ChildProcess | undefined
  let url = ""

  /** Runs an example as the README says, its types taken out. */
  const execute = async (name: string, code: string): Promise<string> => {
    const { code: stripped } = await esbuild.transform(code, { loader: "ts", format: "esm", target: "node20" })
    await fs.writeFile(path.join(project, `${name}.js`), stripped)
    const { stdout } = await run(process.execPath, [`${name}.js`], { cwd: project })
    return stdout
  }

  const onLocalnet = (code: string): string => {
    expect(code).toContain(`"localhost"`)
    return code.replace(`"localhost"`, JSON.stringify(url))
  }

  const served = async (): Promise<void> => {
    const command = path.join(project, "node_modules/.bin/pod-localnet")
    localnet = spawn(command, ["--port", "0"], { cwd: project, stdio: ["ignore", "pipe", "inherit"] })
    if (localnet.stdout === null) return
    for await (const line of createInterface(localnet.stdout)) {
      url = /http:\S+/.exec(line)?.[0] ?? url
      if (line.startsWith("Program")) return
    }
  }

  beforeAll(async () => {
    // Given a project in which only what the install line names is installed, and the localnet of the package
    project = await install(peers)
    await served()
  }, 300_000)

  afterAll(async () => {
    localnet?.kill()
    await fs.rm(project, { recursive: true, force: true })
  })

  it("Given its install line, Then it names each peer of the embedded cluster with the range of package.json", () => {
    const expected = Object.entries(manifest.peerDependencies).filter(([name]) => !OPTIONAL.includes(name))
    expect(Object.fromEntries(installed)).toEqual({ "@pod-protocol/effect": "", ...Object.fromEntries(expected) })
    for (const name of OPTIONAL) expect(readme).toContain(`\`${name}@${manifest.peerDependencies[name]}\``)
  })

  it("Given each version in its text, Then it equals that of package.json", () => {
    const versions = [...readme.matchAll(/([@\w/-]+)@(\^[\d.]+)/g)]
    expect(versions.length).toBeGreaterThan(4)
    for (const [, name = "", range] of versions) expect([name, manifest.peerDependencies[name]]).toEqual([name, range])
  })

  it("Given its links and commands, Then the package contains them", () => {
    const home = path.join(project, "node_modules/@pod-protocol/effect")
    const pages = capture(/\]\(([^)#]+)\)/g).filter((link) => !link.startsWith("https:"))
    expect(pages.length).toBeGreaterThan(3)
    expect(pages.filter((page) => !existsSync(path.join(home, page)))).toEqual([])
    expect(readme).not.toMatch(/npm (run|ci|test|start)\b/)
    expect(new Set(capture(/npx ([\w-]+)/g))).toEqual(new Set(["tsx", ...Object.keys(manifest.bin)]))
  })

  it("Given its modules, Then the package exports them", async () => {
    const modules = new Set(capture(/(@pod-protocol\/effect(?:\/\w+)*)(?!\/?\*)[`"]/g))
    expect(modules.size).toBeGreaterThan(3)
    const found = await execute(
      "modules",
      `await Promise.all(${JSON.stringify([...modules])}.map((name) => import(name))).then((all) => console.log(all.length))`
    )
    expect(found).toBe(`${modules.size}\n`)
  })

  it("Given its settings, Then they are those that the package reads", () => {
    const sources = ["PodConfig.ts", "WalletNode.ts"].map((file) =>
      readFileSync(path.join(root, "layers", file), "utf8")
    )
    const read = [...sources.join("").matchAll(/name: "(POD_\w+)"/g)].map(([, name]) => name)
    expect(capture(/^\| `(POD_\w+)` \|/gm).toSorted()).toEqual(read.toSorted())
  })

  it("Given its examples, When they are compiled against the packed declarations, Then there is no error", async () => {
    const files = await Promise.all(
      capture(/```ts\n([\s\S]*?)```/g).map(async (code, index) => {
        const file = path.join(project, `example-${index}.ts`)
        await fs.writeFile(file, `${code}\nexport {}\n`)
        return file
      })
    )
    const program = ts.createProgram(files, {
      strict: true,
      exactOptionalPropertyTypes: true,
      target: ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      skipLibCheck: true,
      noEmit: true,
      types: []
    })
    const problems = ts.getPreEmitDiagnostics(program).map(({ file, messageText }) => {
      return `${file?.fileName}: ${ts.flattenDiagnosticMessageText(messageText, " ")}`
    })
    expect(problems).toEqual([])
  })

  it("Given the first example, When it runs, Then it says hello", async () => {
    expect(await execute("hello", exampleOf("An agent says hello"))).toBe("hello\n")
  })

  it("Given the localnet, When the example of a cluster runs on it, Then an agent is registered", async () => {
    const shown = await execute("cluster", onLocalnet(exampleOf("On a cluster")))
    expect(shown).toMatch(/registered [1-9A-HJ-NP-Za-km-z]{32,44} by [1-9A-HJ-NP-Za-km-z]{64,88}/)
  })

  it("Given the localnet, When the example of the journal runs on it, Then nothing is left to finish", async () => {
    expect(await execute("journal", onLocalnet(exampleOf("Send once")))).toBe("")
    expect(existsSync(path.join(project, "journal"))).toBe(true)
  })

  it("Given the example of a test, When it runs, Then the stub answers", async () => {
    const use = `Effect.runPromise(inATest("11111111111111111111111111111111" as Address)).then(console.log)`
    expect(await execute("testing", `${exampleOf("Testing your application")}\n${use}`)).toBe("true\n")
  })

  it("Given the options of localnet in its text, When localnet prints its help, Then each is there", async () => {
    const { stdout } = await run(path.join(project, "node_modules/.bin/pod-localnet"), ["--help"])
    const [, section = ""] = readme.split("\n## A cluster on loopback\n")
    const options = (section.split("\n## ")[0] ?? "").match(/--[a-z-]+/g) ?? []
    expect(options.length).toBeGreaterThan(3)
    for (const option of options) expect(stdout).toContain(option)
  })
})
