import { keysOf } from './registry-keys.ts'
import { UnusableCredentials } from './unusable-credentials.ts'

/** The credential helper that a config names: the registry's own, else the general one; `undefined` for none. */
export function helperOf(config: object, registry: string, name: string): unknown {
  const own = sectionOf(config, 'credHelpers', name)
  const listed = keysOf(registry)
    .map(key => memberOf(own, key))
    .find(helper => !isNoHelper(helper))
  const helper = listed ?? memberOf(config, 'credsStore')
  return isNoHelper(helper) ? undefined : helper
}

/**
 * The members of a section of a config, such as `auths`; none if it is absent.
 *
 * @throws `UnusableCredentials` if it is no object.
 */
export function sectionOf(config: object, key: string, name: string): Record<string, unknown> {
  const value = memberOf(config, key)
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new UnusableCredentials(`${key} in ${name} is not an object`)
  }
  return value as Record<string, unknown>
}

/** Docker and skopeo treat `null` and an empty string as no helper. */
export function isNoHelper(helper: unknown): boolean {
  return helper === undefined || helper === null || helper === ''
}

/** SAFETY: reads own members only. Otherwise a registry called `constructor` would match an inherited member. */
export function memberOf(object: object, key: string): unknown {
  return Object.hasOwn(object, key) ? (object as Record<string, unknown>)[key] : undefined
}
