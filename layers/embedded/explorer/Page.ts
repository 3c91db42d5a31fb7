/**
 * The page of a served cluster: one HTML text that makes requests only to the cluster itself.
 *
 * Invariants: the page contains no text from outside; its script adds such text through one function, as text nodes
 * with visible codes for invisible characters. The content policy names the script and the style by their hashes, so no
 * other code runs even if a text became markup.
 */
import { createHash } from "node:crypto"
import { script } from "./script.js"
import { style } from "./style.js"

const ICON =
  "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E%3Crect width='32' height='32' rx='9' fill='%236d57e8'/%3E%3Cpath d='M10 23V9h7a5 5 0 0 1 0 10h-7' fill='none' stroke='white' stroke-width='3'/%3E%3C/svg%3E"

/** The page. */
export const html = [
  `<!doctype html>`,
  `<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">`,
  `<title>PoD localnet</title><link rel="icon" href="${ICON}">`,
  `<style>${style}</style></head><body>`,
  `<header><a class="brand" href="#/"><span class="mark">P</span>PoD localnet</a><span id="live" class="live">connecting</span>`,
  `<form id="search" role="search"><input id="query" name="q" autocomplete="off" spellcheck="false"`,
  ` placeholder="Signature or address" aria-label="Signature or address"></form></header>`,
  `<main id="view" aria-live="off"></main><noscript>The explorer needs JavaScript.</noscript>`,
  `<script>${script}</script></body></html>\n`
].join("")

const hashOf = (text: string): string => `'sha256-${createHash("sha256").update(text).digest("base64")}'`

const POLICY = [
  `default-src 'none'`,
  `script-src ${hashOf(script)}`,
  `style-src ${hashOf(style)}`,
  `img-src data:`,
  `base-uri 'none'`,
  `form-action 'none'`,
  `frame-ancestors 'none'`
].join("; ")

/** The headers of the page. `sockets` is the origin of the cluster's WebSocket. */
export const headers = (sockets: string | undefined): Readonly<Record<string, string>> => ({
  ...HEADERS,
  "content-security-policy": `${POLICY}; connect-src 'self'${sockets === undefined ? "" : ` ${sockets}`}`
})

/** The headers of all answers of the explorer. */
export const HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "cross-origin-opener-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff"
}
