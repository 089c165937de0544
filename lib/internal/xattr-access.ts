import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { isErrno } from './errno.ts'

/**
 * Reads and writes extended attributes of a path; links are followed. All calls are synchronous and throw the system's
 * error with its `code`.
 */
export interface XattrAccess {
  /** Names of all attributes. */
  list(path: string): readonly string[]
  /** The value of one attribute. */
  get(path: string, name: string): Uint8Array
  /** Creates or replaces one attribute. */
  set(path: string, name: string, value: Uint8Array): void
}

/** The part of the optional package `fs-xattr` that is used. */
interface FsXattr {
  listAttributesSync(path: string): string[]
  getAttributeSync(path: string, name: string): Buffer
  setAttributeSync(path: string, name: string, value: Buffer): void
}

/**
 * Access to extended attributes, if the optional package `fs-xattr` is installed with its native part. Node has no call
 * for them.
 *
 * @param packageName - Name or absolute path of the package.
 */
export async function loadXattrAccess(packageName = 'fs-xattr'): Promise<XattrAccess | undefined> {
  let loaded: Partial<FsXattr> & { default?: Partial<FsXattr> }
  try {
    // Resolved first, then loaded: bundlers replace an optional package by a stub.
    const file = createRequire(import.meta.url).resolve(packageName)
    loaded = (await import(pathToFileURL(file).href)) as typeof loaded
  } catch (error) {
    if (isErrno(error, 'MODULE_NOT_FOUND')) return undefined
    throw error
  }
  const { listAttributesSync, getAttributeSync, setAttributeSync } = { ...loaded.default, ...loaded }
  if (!listAttributesSync || !getAttributeSync || !setAttributeSync) return undefined
  return {
    list: path => listAttributesSync(path),
    get: (path, name) => getAttributeSync(path, name),
    set: (path, name, value) => setAttributeSync(path, name, Buffer.from(value)),
  }
}
