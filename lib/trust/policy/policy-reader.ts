import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { TrustError } from '../../errors/index.ts'
import { parseStrictJson } from '../../internal/strict-json.ts'
import { loadVerificationKey, type VerificationKey } from '../sign/keys/verification-key.ts'

/** SAFETY: policies and keys are small; a huge file would be held in memory. */
const MOST_BYTES = 4 * 1024 * 1024

/** Checks the members of a policy, and reads the files that it names. */
export class PolicyReader {
  readonly #file: string
  readonly #directory: string

  /** @param directory - Directory that paths in the policy are relative to. */
  constructor(file: string, directory: string) {
    this.#file = file
    this.#directory = directory
  }

  fail(at: string, why: string, options?: ErrorOptions): never {
    const place = at === '' ? '' : ` at ${at}`
    throw new TrustError('ERR_INVALID_POLICY', `the policy ${this.#file} is invalid${place}: ${why}`, {}, options)
  }

  /** An object that has no other members than these. */
  object(value: unknown, at: string, members?: readonly string[]): Record<string, unknown> {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return this.fail(at, 'it must be an object')
    // SAFETY: a mistyped member would be a requirement that is silently left out.
    const unknown = members && Object.keys(value).find(key => !members.includes(key))
    if (unknown !== undefined) this.fail(at, `the member ${JSON.stringify(unknown)} is unknown`)
    return value as Record<string, unknown>
  }

  array(value: unknown, at: string): readonly unknown[] {
    return Array.isArray(value) ? value : this.fail(at, 'it must be an array')
  }

  text(value: unknown, at: string): string {
    return typeof value === 'string' && value !== '' ? value : this.fail(at, 'it must be a text that is not empty')
  }

  async json(path: string, at: string): Promise<unknown> {
    const bytes = await this.bytes(path, at)
    try {
      return parseStrictJson(bytes)
    } catch (cause) {
      return this.fail(at, `${path} is not JSON: ${(cause as Error).message}`, { cause })
    }
  }

  async bytes(path: string, at: string): Promise<Uint8Array> {
    const whole = resolve(this.#directory, path)
    try {
      if ((await stat(whole)).size > MOST_BYTES) this.fail(at, `${path} has more than 4 MiB`)
      return await readFile(whole)
    } catch (cause) {
      if (cause instanceof TrustError) throw cause
      return this.fail(at, `${path} cannot be read (${(cause as NodeJS.ErrnoException).code})`, { cause })
    }
  }

  /** Reads the public key of a file, or of a PEM text. */
  async key(value: unknown, at: string): Promise<VerificationKey> {
    const text = this.text(value, at)
    const isPem = text.startsWith('-----BEGIN ')
    return this.keyOf(isPem ? text : await this.bytes(text, at), at, isPem ? undefined : text)
  }

  keyOf(content: string | Uint8Array, at: string, label?: string): VerificationKey {
    try {
      return loadVerificationKey(Buffer.from(content).toString(), { label })
    } catch (cause) {
      return this.fail(at, `${label ?? 'its key'}: ${(cause as Error).message}`, { cause })
    }
  }
}
