/** A project in which the packed package is installed, as an application has it. */
import { execFile } from "node:child_process"
import * as fs from "node:fs/promises"
import * as os from "node:os"
import * as path from "node:path"
import { setTimeout } from "node:timers/promises"
import { promisify } from "node:util"
import { inject } from "vitest"
import { root } from "../../scripts/publicModules.js"

const run = promisify(execFile)

const exists = (file: string): Promise<boolean> =>
  fs.access(file).then(
    () => true,
    () => false
  )

/** Builds and packs the package, unless `PACKED` is the path of its tarball. */
const pack = async (folder: string, tarball: string): Promise<void> => {
  const given = process.env["PACKED"]
  if (given !== undefined) return fs.copyFile(given, tarball)
  await run("npm", ["run", "-s", "build"], { cwd: root })
  await run("npm", ["pack", "--ignore-scripts", "--pack-destination", folder], { cwd: root })
  const [packed = ""] = (await fs.readdir(folder)).filter((file) => file.endsWith(".tgz"))
  await fs.rename(path.join(folder, packed), tarball)
}

/** The tarball of this run: whichever file of tests comes first packs it, and the others wait for it. */
const packed = async (): Promise<string> => {
  const folder = inject("packed")
  const [tarball, failed] = [path.join(folder, "package.tar.gz"), path.join(folder, "failed")]
  const isFirst = await fs.mkdir(path.join(folder, "lock")).then(
    () => true,
    () => false
  )
  if (isFirst) await pack(folder, tarball).catch((error) => fs.writeFile(failed, String(error)))
  while (!(await exists(tarball))) {
    if (await exists(failed)) throw new Error(await fs.readFile(failed, "utf8"))
    await setTimeout(100)
  }
  return tarball
}

/** Makes the project in a new folder, with the peers that are named and the package's own dependencies. */
export const install = async (peers: ReadonlyArray<string>): Promise<string> => {
  const tarball = await packed()
  const project = await fs.mkdtemp(path.join(os.tmpdir(), "pod-package-"))
  const home = path.join(project, "node_modules/@pod-protocol/effect")
  await fs.mkdir(home, { recursive: true })
  await run("tar", ["-xzf", tarball, "--strip-components=1", "-C", home])
  const manifest: { readonly bin: Record<string, string>; readonly dependencies: Record<string, string> } = JSON.parse(
    await fs.readFile(path.join(home, "package.json"), "utf8")
  )
  for (const name of [...peers, ...Object.keys(manifest.dependencies)]) {
    const link = path.join(project, "node_modules", name)
    await fs.mkdir(path.dirname(link), { recursive: true })
    await fs.symlink(path.join(root, "node_modules", name), link)
  }
  await fs.mkdir(path.join(project, "node_modules/.bin"))
  for (const [name, file] of Object.entries(manifest.bin)) {
    await fs.symlink(path.join(home, file), path.join(project, "node_modules/.bin", name))
  }
  await fs.writeFile(path.join(project, "package.json"), `{ "type": "module" }`)
  return project
}
