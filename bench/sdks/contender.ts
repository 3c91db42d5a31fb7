/** One SDK with one operation, in its own process. */
import { serve } from "./answers.js"
import * as Kit from "./kit.js"
import * as Ours from "./ours.js"
import type { Contender, Job } from "./protocol.js"
import * as Rust from "./rust.js"
import * as Web3 from "./web3.js"

const contenders: { readonly [sdk in Job["sdk"]]: (job: Job) => Promise<Contender> } = {
  ours: Ours.contender,
  sodium: Ours.contender,
  batched: Ours.contender,
  kit: Kit.contender,
  web3js: Web3.web3js,
  anchor: Web3.anchor,
  pod: Web3.podSdk,
  rust: Rust.contender
}

serve((job: Job) => contenders[job.sdk](job))
