// Copies the built program beside the built modules. layers/embedded/*.js find it at ../../program/pod_com.so, both in the
// sources and in dist.
import { copyFile, mkdir } from "node:fs/promises"

const from = new URL("../program/pod_com.so", import.meta.url)
const to = new URL("../dist/program/pod_com.so", import.meta.url)

await mkdir(new URL(".", to), { recursive: true })
await copyFile(from, to)
