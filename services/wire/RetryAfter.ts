/** Parses the HTTP header `Retry-After`. */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

/** The wait of a header in seconds, or until a date. `now` is in Unix milliseconds. A past date is a wait of 0. */
export const parse = (header: string, now: number): Option.Option<Duration.Duration> => {
  const text = header.trim()
  if (/^\d{1,9}$/.test(text)) return Option.some(Duration.seconds(Number(text)))
  const date = Date.parse(text)
  return /^[A-Za-z]{3}/.test(text) && Number.isFinite(date)
    ? Option.some(Duration.millis(Math.max(0, date - now)))
    : Option.none()
}
