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
 * The file of the optional package `fs-xattr`, if it is installed. The calling thread looks for it: the code of a
 * worker thread may have no place of its own to look from.
 */
export function findXattrPackage(packageName = 'fs-xattr'): string | undefined {
  // A bundler that writes CommonJS may leave `import.meta` empty.
  const from = (import.meta.url as string | undefined) ?? (typeof __filename === 'string' ? __filename : undefined)
  if (from === undefined) return undefined
  try {
    return requireFrom(from).resolve(packageName)
  } catch (error) {
    if (isErrno(error, 'MODULE_NOT_FOUND')) return undefined
    throw error
  }
}

/**
 * Access to extended attributes by the optional package `fs-xattr`, if it is installed with its native part. Node has
 * no call for them.
 *
 * @param file - File of the package, from {@link findXattrPackage}.
 */
export async function loadXattrAccess(file: string | undefined): Promise<XattrAccess | undefined> {
  if (file === undefined) return undefined
  let loaded: Partial<FsXattr> & { default?: Partial<FsXattr> }
  try {
    loaded = requireFrom(file)(file) as typeof loaded
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

/**
 * Makes the `require` of a file. Bundlers see neither `import` nor `createRequire` here, so they put no stub in the
 * place of the package and warn of nothing. NODE: `require` loads ES modules from Node 20.19 on.
 */
function requireFrom(file: string): NodeJS.Require {
  return process.getBuiltinModule('node:module').createRequire(file)
}
