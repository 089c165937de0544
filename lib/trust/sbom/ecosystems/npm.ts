import type { StatedPackage } from './stated-package.ts'

/** Path of the manifest of an installed package: directly below `node_modules`, or below a scope there. */
const INSTALLED = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/@.][^/]*)\/package\.json$/

/** True for the manifest of a package that npm, yarn or pnpm installed. */
export function isNpmManifest(path: string): boolean {
  return INSTALLED.test(path)
}

/**
 * Parses a `package.json`; `undefined` if it is not one of a package with a name and a version.
 *
 * @throws SyntaxError if it is no JSON.
 */
export function parseNpm(text: string): StatedPackage | undefined {
  const manifest: unknown = JSON.parse(text)
  const { name, version, license, licenses } = isObject(manifest) ? manifest : {}
  if (typeof name !== 'string' || typeof version !== 'string' || !name || !version) return undefined
  const stated = [license, ...(Array.isArray(licenses) ? licenses : [licenses])].flatMap(one => {
    const type = isObject(one) ? one.type : one
    return typeof type === 'string' && type ? [type] : []
  })
  return { name, version, ...(stated.length > 0 ? { license: [...new Set(stated)].join(' OR ') } : {}) }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
