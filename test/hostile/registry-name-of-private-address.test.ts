import { describe, expect, test } from 'vitest'
import { addressScopeOf } from '../../lib/registry/addresses/address-scope.ts'
import type { HostLookup } from '../../lib/registry/index.ts'
import { guardedLookup } from '../../lib/registry/transport/guarded-lookup.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleBlob } from '../helpers/sample-blob.ts'
import { startScriptedRegistry } from '../helpers/start-scripted-registry.ts'

const names: Record<string, string[]> = {
  'loopback.test': ['127.0.0.1'],
  'metadata.test': ['169.254.169.254'],
  'metadata6.test': ['fd00:ec2::254'],
  'intranet.test': ['10.1.2.3', 'fd12::1'],
  'public.test': ['203.0.113.7', '2001:db8::1'],
  'both.test': ['203.0.113.7', '10.0.0.1'],
  'zone.test': ['fe80::1%eth0'],
  'empty.test': [],
}
const lookup: HostLookup = async name => {
  const found = names[name]
  if (!found) throw Object.assign(new Error('unknown'), { code: 'ENOTFOUND' })
  return found.map(address => ({ address, family: address.includes(':') ? 6 : 4 }))
}
const connectTo = (name: string, reach: Parameters<typeof guardedLookup>[1], options: object = { all: true }) =>
  new Promise(resolve =>
    guardedLookup(lookup, reach)(name, options, (error, address, family) =>
      resolve(error ? (error as NodeJS.ErrnoException).code : family === undefined ? address : [address, family]),
    ),
  )

describe('HT-03: a name that resolves to a private address', () => {
  test.each([
    ['public.test', 'public'],
    ['both.test', 'public'],
    ['unknown.test', 'public'],
    ['empty.test', 'public'],
    ['intranet.test', 'private'],
    ['10.0.0.1', 'private'],
    ['[fd12::1]', 'private'],
    ['loopback.test', 'loopback'],
    ['localhost', 'loopback'],
    ['metadata.test', 'public'],
  ])('a registry at %s may lead no further than to a %s address', async (name, reach) => {
    expect(await addressScopeOf(new URL(`https://${name}/`), lookup)).toBe(reach)
  })

  test.each([
    ['public', { 'public.test': true, 'intranet.test': false, 'loopback.test': false, 'both.test': false }],
    ['private', { 'public.test': true, 'intranet.test': true, 'loopback.test': false, 'both.test': true }],
    ['loopback', { 'public.test': true, 'intranet.test': true, 'loopback.test': true, 'metadata.test': false }],
    ['loopback', { 'metadata6.test': false, 'zone.test': false }],
    ['anywhere', { 'metadata.test': true }],
  ] as const)('within reach %s: %j', async (reach, expected) => {
    for (const [name, allowed] of Object.entries(expected)) {
      expect([name, (await connectTo(name, reach)) !== 'ERR_BLOCKED_URL']).toEqual([name, allowed])
    }
  })

  test('answers in the form that it is asked for', async () => {
    expect(await connectTo('public.test', 'public', {})).toEqual(['203.0.113.7', 4])
    expect(await connectTo('public.test', 'public', { family: 6 })).toEqual(['2001:db8::1', 6])
    expect(await connectTo('empty.test', 'public')).toBe('ENOTFOUND')
    expect(await connectTo('unknown.test', 'public')).toBe('ENOTFOUND')
  })

  test.each(['redirect', 'token service', 'upload location'])('is not connected to by a %s', async kind => {
    const asked: string[] = []
    await using server = await startScriptedRegistry((request, response) => {
      const target = 'http://metadata.test/latest'
      if (kind === 'token service') {
        return response.writeHead(401, { 'www-authenticate': `Bearer realm="${target}"` }).end()
      }
      request.resume()
      return response.writeHead(kind === 'redirect' ? 307 : 202, { location: target }).end()
    })
    const watched: HostLookup = name => {
      asked.push(name)
      return lookup(name)
    }
    const host = `loopback.test:${server.host.split(':')[1]}`
    const credentials = { [host]: { username: 'ann', identityToken: 'secret' } }
    await using registry = registryClientFor({ plainHttp: [host], lookup: watched, credentials, retries: { tries: 1 } })
    const to = { registry: host, repository: 'a' }
    const blob = sampleBlob(1).descriptor
    const source = async function* () {
      yield new Uint8Array(1)
    }
    const act =
      kind === 'upload location' ? registry.pushBlob(to, blob, source) : registry.fetchManifest({ ...to, tag: 'v' })
    await expect(act).rejects.toMatchObject({ code: 'ERR_BLOCKED_URL', message: expect.not.stringContaining('secret') })
    expect(asked).toContain('metadata.test')
  })

  test('is connected to if it is allowed by name', async () => {
    await using server = await startScriptedRegistry((_, response) =>
      response.writeHead(307, { location: 'http://intranet.test/x' }).end(),
    )
    const host = `public.test:${server.host.split(':')[1]}`
    const asked: string[] = []
    const local: HostLookup = async name => {
      asked.push(name)
      return [{ address: '127.0.0.1', family: 4 }]
    }
    const options = { plainHttp: [host], lookup: local, retries: { tries: 1 }, timeouts: { connectMs: 500 } }
    await using registry = registryClientFor({ ...options, allowedHosts: ['intranet.test'] })
    await expect(registry.fetchManifest({ registry: host, repository: 'a', tag: 'v' })).rejects.toMatchObject({
      code: 'ERR_NETWORK',
    })
    expect(asked).toContain('intranet.test')
  })
})
