/**
 * Explains failed connections: one table for the errors of sockets, DNS, TLS, HTTP/1.1 and HTTP/2 of every transport.
 */

const TEXTS: { readonly [code: string]: string } = {
  ECONNREFUSED: "nothing listens at the endpoint's address and port: check the URL, and that the node runs",
  ECONNRESET: "the server closed the connection before it answered: check whether the call took effect, or try again",
  ECONNABORTED: "the connection was aborted on this machine: try again",
  EPIPE: "the server closed the connection before the request was sent: try again",
  ETIMEDOUT: "the endpoint did not answer in time: check the network, and that the host is up",
  EHOSTUNREACH: "no route leads to the endpoint's host: check the network",
  ENETUNREACH: "no route leads to the endpoint's network: check the network",
  ENETDOWN: "the network is down: check it",
  EADDRNOTAVAIL: "this machine has no free port for a connection: lower `connections`",
  EMFILE: "this process has no free file descriptor: raise its limit (ulimit -n), or close files and sockets",
  ENFILE: "this machine has no free file descriptor: close files and sockets",
  ENOBUFS: "this machine has no memory for a socket: close sockets",
  EACCES: "this machine does not allow the connection: check its firewall",
  EPERM: "this machine does not allow the connection: check its firewall",
  ENOTFOUND: "the endpoint's host name is not known: check the URL and DNS",
  EAI_AGAIN: "the endpoint's host name could not be looked up: check the network and DNS, and try again",
  CERT_HAS_EXPIRED: "the server's certificate has expired: renew it, or use another endpoint",
  CERT_NOT_YET_VALID: "the server's certificate is not valid yet: check this machine's clock",
  CERT_REVOKED: "the server's certificate was revoked: use another endpoint",
  DEPTH_ZERO_SELF_SIGNED_CERT: "the server has a self-signed certificate: if it is yours, set it as `ca`",
  SELF_SIGNED_CERT_IN_CHAIN: "a self-signed certificate is in the server's chain: if it is yours, set it as `ca`",
  UNABLE_TO_GET_ISSUER_CERT: "the authority of the server's certificate is not known: if it is yours, set it as `ca`",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    "the authority of the server's certificate is not known: if it is yours, set it as `ca`",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    "the authority of the server's certificate is not known: if it is yours, set it as `ca`",
  ERR_TLS_CERT_ALTNAME_INVALID: "the server's certificate is for another host: check the URL",
  EPROTO: "the TLS handshake failed: check that the port speaks https",
  ERR_SSL_WRONG_VERSION_NUMBER: "the port does not speak TLS: the URL may have to begin with http: or ws:",
  ERR_SSL_PACKET_LENGTH_TOO_LONG: "the port does not speak TLS: the URL may have to begin with http: or ws:",
  ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL:
    "the server speaks none of the offered protocols, which may be only HTTP/2: do not set `http2: false`",
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION:
    "the server does not speak this machine's versions of TLS: update the older of the two",
  ERR_SSL_UNSUPPORTED_PROTOCOL: "the server does not speak this machine's versions of TLS: update the older of the two",
  UND_ERR_CONNECT_TIMEOUT: "no connection was made in time: check the network, the host and its TLS",
  UND_ERR_HEADERS_TIMEOUT: "the server sent no reply in time: allow more time, or use another endpoint",
  UND_ERR_BODY_TIMEOUT: "the server stopped in the middle of its reply: try again, or use another endpoint",
  UND_ERR_HEADERS_OVERFLOW: "the headers of the reply are too long: use another endpoint",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH:
    "the reply is not as long as its headers say: try again, or use another endpoint",
  UND_ERR_SOCKET:
    "the server closed the connection before its reply was complete: check whether the call took effect, or try again",
  ERR_HTTP2_ERROR: "the server broke the rules of HTTP/2: try again, or set `http2: false`",
  ERR_HTTP2_SESSION_ERROR: "the server ended the HTTP/2 connection with an error: try again, or set `http2: false`",
  ERR_HTTP2_STREAM_ERROR: "the server cancelled the HTTP/2 call: try again"
}

/** The codes with their own text. */
export const codes: ReadonlyArray<string> = Object.keys(TEXTS)

/** Texts by the prefix of a code. */
const FAMILIES: ReadonlyArray<readonly [prefix: string, text: string]> = [
  ["ERR_SSL_", "the TLS handshake failed: check that the port speaks https, and the versions of TLS on both sides"],
  ["HPE_", "the reply is not HTTP/1.1: check the URL and its port"],
  ["ERR_HTTP2_", "the HTTP/2 connection failed: try again, or set `http2: false`"]
]

/** The next error to explain. For an `AggregateError` of several addresses it is the first. */
const below = (error: Error): unknown => (error instanceof AggregateError ? error.errors[0] : error.cause)

const MAX_CAUSES = 8

const codeOf = (error: Error): string | undefined =>
  "code" in error && typeof error.code === "string" ? error.code : undefined

/** Some TLS errors have the code of the system call; only OpenSSL's message states the reason. */
const refined = (code: string, message: string): string =>
  code === "EPROTO" && /wrong version number|packet length too long/i.test(message)
    ? "ERR_SSL_WRONG_VERSION_NUMBER"
    : code

const textOf = (code: string): string | undefined =>
  Object.hasOwn(TEXTS, code) ? TEXTS[code] : FAMILIES.find(([prefix]) => code.startsWith(prefix))?.[1]

/**
 * The text for a failed connection, with the code if it is known; otherwise `otherwise`, or the error's own message.
 */
export const explain = (failure: unknown, otherwise?: string): string => {
  let error = failure
  for (let nth = 0; nth < MAX_CAUSES && error instanceof Error; nth++) {
    const code = codeOf(error)
    const text = code === undefined ? undefined : textOf(refined(code, error.message))
    if (text !== undefined) return `${text} (${code})`
    error = below(error)
  }
  return otherwise ?? (failure instanceof Error ? failure.message : "the request failed")
}
