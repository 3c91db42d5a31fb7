import { isIP } from "node:net"
import { describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as IpAddress from "../../src/internal/ipAddress.js"
import { runs } from "../support/runs.js"

const isPublic = (text: string): boolean | undefined => {
  const bytes = IpAddress.parse(text)
  return bytes === undefined ? undefined : IpAddress.isPublic(bytes)
}

describe("addresses of the Internet Protocol", () => {
  it("Given addresses of private, local and reserved blocks, Then none is public", () => {
    const blocks = [
      "0.0.0.0",
      "10.255.255.255",
      "100.64.0.1",
      "100.127.255.255",
      "127.0.0.1",
      "169.254.169.254",
      "172.16.0.1",
      "172.31.255.255",
      "192.0.0.8",
      "192.0.2.1",
      "192.168.1.1",
      "198.18.0.1",
      "198.19.255.255",
      "198.51.100.7",
      "203.0.113.9",
      "224.0.0.1",
      "240.0.0.1",
      "255.255.255.255",
      "::",
      "::1",
      "::127.0.0.1",
      "::ffff:127.0.0.1",
      "::ffff:8.8.8.8",
      "64:ff9b::a00:1",
      "100::1",
      "2001::1",
      "2001:db8::1",
      "2002:7f00:1::",
      "3fff::1",
      "fc00::1",
      "fdff::1",
      "fe80::1",
      "fec0::1",
      "ff02::1"
    ]
    expect(blocks.filter((address) => isPublic(address) !== false)).toEqual([])
  })

  it("Given addresses beside those blocks, Then each is public", () => {
    const others = [
      "1.1.1.1",
      "9.255.255.255",
      "11.0.0.0",
      "100.63.255.255",
      "100.128.0.0",
      "126.255.255.255",
      "128.0.0.0",
      "172.15.255.255",
      "172.32.0.0",
      "192.169.0.0",
      "223.255.255.255",
      "2001:4860:4860::8888",
      "2606:4700::1111"
    ]
    expect(others.filter((address) => isPublic(address) !== true)).toEqual([])
  })

  it("Given an IPv4 address within IPv6, Then it may only be at the end, as in Node", () => {
    for (const text of [
      "::1.2.3.4",
      "1:2:3:4:5:6:1.2.3.4",
      "1.2.3.4::",
      "1.2.3.4::1",
      "1.2.3.4::5.6.7.8",
      "::1.2.3.4:5"
    ]) {
      expect(IpAddress.parse(text) !== undefined, text).toBe(isIP(text) !== 0)
    }
  })

  it("Given any text, Then it is an address as Node takes it, or none", () => {
    const part = FastCheck.constantFrom("0", "1", "255", "256", "01", "ffff", "::", ":", ".", "127", "g", "%")
    FastCheck.assert(
      FastCheck.property(
        FastCheck.oneof(
          FastCheck.ipV4(),
          FastCheck.ipV6(),
          FastCheck.array(part, { maxLength: 12 }).map((parts) => parts.join(""))
        ),
        (text) => (IpAddress.parse(text) !== undefined) === (isIP(text) !== 0 && !text.includes("%"))
      ),
      { numRuns: runs(500) }
    )
  })
})
