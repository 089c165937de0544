import { createHash } from 'node:crypto'

const LONGEST = 300

/** The value with long texts replaced by length and digest, so that recorded outcomes stay readable. */
export function shortened<T>(value: T): T {
  const text = JSON.stringify(value, (_, item) =>
    typeof item === 'string' && item.length > LONGEST ? tag(item) : item,
  )
  return JSON.parse(text) as T
}

function tag(text: string): string {
  return `${text.length} characters, sha256 ${createHash('sha256').update(text).digest('hex').slice(0, 16)}`
}
