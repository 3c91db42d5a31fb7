/** Lists the settings of a configuration with their sources. It shows no secret, and only the host of a URL. */
import * as Duration from "effect/Duration"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Redacted from "effect/Redacted"
import * as Url from "../internal/Url.js"

export interface Setting {
  /** The path of the option: `retry.maxAttempts`. */
  readonly option: string
  /** The value as text. */
  readonly value: string
  /** The source of the value. */
  readonly source: "default" | "environment" | "option" | "preset"
}

interface Listed {
  readonly option: string
  /** The default value, as text. */
  readonly byDefault: string
  /** The environment variable of the option. */
  readonly variable?: string
}

const LISTED: ReadonlyArray<Listed> = [
  { option: "commitment", byDefault: "confirmed", variable: "POD_COMMITMENT" },
  { option: "programId", byDefault: "the published program", variable: "POD_PROGRAM_ID" },
  { option: "startCheck", byDefault: "true", variable: "POD_START_CHECK" },
  { option: "connections", byDefault: "16", variable: "POD_CONNECTIONS" },
  { option: "minIdleConnections", byDefault: "0" },
  { option: "http2.connections", byDefault: "2" },
  { option: "connectTimeout", byDefault: "10s" },
  { option: "requestTimeout", byDefault: "1m", variable: "POD_REQUEST_TIMEOUT" },
  { option: "retry.maxAttempts", byDefault: "5", variable: "POD_RETRY_ATTEMPTS" },
  { option: "coalesce", byDefault: "on" },
  { option: "arraySize", byDefault: "1", variable: "POD_ARRAY_SIZE" },
  { option: "cache.maxEntries", byDefault: "no cache", variable: "POD_CACHE_ENTRIES" },
  { option: "transactions.maxInFlight", byDefault: "1024", variable: "POD_MAX_IN_FLIGHT" },
  { option: "transactions.pollInterval", byDefault: "400ms" },
  { option: "transactions.rebroadcastInterval", byDefault: "2s" },
  { option: "transactions.timeout", byDefault: "2m" }
]

/** The value at a path. `false` turns a group of options off, so it is the value of each option of the group. */
const valueAt = (settings: unknown, path: string): unknown =>
  path
    .split(".")
    .reduce(
      (found: unknown, name) =>
        Predicate.hasProperty(found, name) ? found[name] : found === false ? false : undefined,
      settings
    )

const isTime = (option: string): boolean => /timeout$|interval$/i.test(option)

const textOf = (option: string, value: unknown): string => {
  if (isTime(option)) {
    return Option.match(Duration.decodeUnknown(value), { onNone: () => "invalid", onSome: Duration.format })
  }
  if (value === false) return option === "startCheck" ? "false" : "off"
  switch (typeof value) {
    case "string":
    case "number":
    case "boolean":
      return String(value)
    default:
      return "set"
  }
}

const hostOf = (endpoint: unknown): string => {
  const secret = valueAt(endpoint, "url")
  const url: unknown = Redacted.isRedacted(secret) ? Redacted.value(secret) : secret
  return typeof url === "string"
    ? Either.match(Url.make({ url }), { onLeft: () => "invalid", onRight: ({ host }) => host })
    : "invalid"
}

/** The endpoints and other settings that contain secrets. */
const hidden = (config: object, variables: ReadonlySet<string>): ReadonlyArray<Setting> => {
  const source = (variable: string) => (variables.has(variable) ? "environment" : "option")
  const endpoints = "endpoints" in config && Array.isArray(config.endpoints) ? config.endpoints : [config]
  return [
    { option: "url", value: endpoints.map(hostOf).join(", "), source: source("POD_RPC_URL") },
    ...("headers" in config && config.headers !== undefined
      ? [{ option: "headers", value: "<redacted>", source: "option" } as const]
      : []),
    ...("payloads" in config && config.payloads !== undefined
      ? [{ option: "payloads", value: "<redacted>", source: source("POD_PAYLOAD_URL") } as const]
      : [])
  ]
}

/** The environment variables of all settings. */
export const VARIABLES: ReadonlyArray<string> = [
  "POD_RPC_URL",
  "POD_PAYLOAD_URL",
  ...LISTED.flatMap(({ variable }) => (variable === undefined ? [] : [variable]))
]

export const list = (config: object, preset: object, variables: ReadonlySet<string>): ReadonlyArray<Setting> => [
  ...hidden(config, variables),
  ...LISTED.map(({ byDefault, option, variable }): Setting => {
    const value = valueAt(config, option)
    const isDefault = value === undefined || value === true
    const text = isDefault ? byDefault : textOf(option, value)
    if (variable !== undefined && variables.has(variable)) return { option, value: text, source: "environment" }
    if (isDefault) return { option, value: text, source: "default" }
    return { option, value: text, source: valueAt(preset, option) === value ? "preset" : "option" }
  })
]

/** Aligned columns, for a terminal or a log. */
export const render = (settings: ReadonlyArray<Setting>): string => {
  const width = (of: (setting: Setting) => string) => Math.max(0, ...settings.map((setting) => of(setting).length))
  const [options, values] = [width(({ option }) => option), width(({ value }) => value)]
  return settings
    .map(({ option, source, value }) => `${option.padEnd(options)}  ${value.padEnd(values)}  ${source}`)
    .join("\n")
}
