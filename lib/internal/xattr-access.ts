import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'
import { isErrno } from './errno.ts'

/**
 * Extended attributes of what a path leads to, links followed. Everything is synchronous and throws what the system says,
 * as an error with its `code`.
 */
export interface XattrAccess {
  /** Names of all attributes. */
  list(path: string): readonly string[]
  /** The value of one. */
  get(path: string, name: string): Uint8Array
  /** Sets one, whether it was there or not. */
  set(path: string, name: string, value: Uint8Array): void
}

/** The part of the optional package `fs-xattr` that is used. */
interface FsXattr {
  listAttributesSync(path: string): string[]
  getAttributeSync(path: string, name: string): Buffer
  setAttributeSync(path: string, name: string, value: Buffer): void
}

/**
 * What reaches extended attributes here, if the optional package `fs-xattr` is installed, with its native part. Node itself
 * cannot.
 *
 * @param packageName - Name or absolute path of the package.
 */
export async function loadXattrAccess(packageName = 'fs-xattr'): Promise<XattrAccess | undefined> {
  let loaded: Partial<FsXattr> & { default?: Partial<FsXattr> }
  try {
    // Found first, then loaded: bundlers put something of their own in the place of an optional package.
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
