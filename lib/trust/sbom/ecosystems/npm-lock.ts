import { posix } from 'node:path'
import { withoutCredentials } from '../../../internal/without-credentials.ts'
import type { StatedPackage } from './stated-package.ts'

const LOCK = /(?:^|\/)(?:package-lock\.json|npm-shrinkwrap\.json|yarn\.lock|pnpm-lock\.yaml)$/
const MOST_DEEP = 100

/**
 * True for the lock file of an application whose packages are not installed beside it, as in images of bundled
 * programs. Lock files within packages say nothing about what is there.
 */
export function isLockAlone(path: string, exists: (path: string) => boolean): boolean {
  return (
    LOCK.test(path) && !/(?:^|\/)node_modules\//.test(path) && !exists(posix.join(posix.dirname(path), 'node_modules'))
  )
}

/**
 * Parses a `package-lock.json` of any version: the packages that are no development dependencies.
 *
 * @throws Error if it is a lock file of another program, or none.
 * @see {@link https://docs.npmjs.com/cli/v11/configuring-npm/package-lock-json | npm: package-lock.json}
 */
export function parseNpmLock(path: string, text: string): StatedPackage[] {
  if (!path.endsWith('.json')) throw new Error(`the format of ${posix.basename(path)} is not read`)
  const lock: unknown = JSON.parse(text)
  if (!isObject(lock)) throw new Error('not a lock file of npm')
  const stated = isObject(lock.packages) ? ofPackages(lock.packages) : ofDependencies(lock.dependencies, 0)
  return [...new Map(stated.map(each => [`${each.name}@${each.version}`, each])).values()]
}

/** Versions 2 and 3: paths of `node_modules`, each with a record. */
function ofPackages(packages: Record<string, unknown>): StatedPackage[] {
  return Object.entries(packages).flatMap(([path, record]) => {
    const place = path.lastIndexOf('node_modules/')
    if (place < 0 || !isObject(record) || record.link === true || isDevelopment(record)) return []
    const name = typeof record.name === 'string' ? record.name : path.slice(place + 'node_modules/'.length)
    return stated(name, record)
  })
}

/** Version 1: a tree of names. */
function ofDependencies(dependencies: unknown, depth: number): StatedPackage[] {
  if (!isObject(dependencies) || depth > MOST_DEEP) return []
  return Object.entries(dependencies).flatMap(([name, record]) => {
    if (!isObject(record) || isDevelopment(record)) return []
    return [...stated(name, record), ...ofDependencies(record.dependencies, depth + 1)]
  })
}

function stated(name: string, { version, license }: Record<string, unknown>): StatedPackage[] {
  if (typeof version !== 'string' || !version || !name) return []
  // SAFETY: the version of a package of git may be an address with a token, and a list is published.
  return [
    { name, version: withoutCredentials(version), ...(typeof license === 'string' && license ? { license } : {}) },
  ]
}

/** SPEC: npm installs a package that is `devOptional` as an optional dependency too. */
function isDevelopment({ dev }: Record<string, unknown>): boolean {
  return dev === true
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
