export { checkName, normalizePath } from './normalize-path.ts'
export { readTar } from './read-tar.ts'
export type { TarEntry, TarEntryType, TarHeader, TarInput } from './tar-entry.ts'
export { writeTar } from './write-tar.ts'
