import { describe, expect, test } from 'vitest'
import type { Digest } from '../../lib/digest/index.ts'
import { Annotation, MediaType, mayStayRemote, remoteLayersOf, withRemoteLayers } from '../../lib/oci/index.ts'

const plain = { mediaType: MediaType.OciManifest, digest: `sha256:${'1'.repeat(64)}` as Digest, size: 10 }
const node = { registry: 'docker.io', repository: 'library/node' }
const team = { registry: '127.0.0.1:5000', repository: 'team/base' }

describe('the repositories that hold layers which a store lacks', () => {
  test('are kept on a descriptor, each once, and read back', () => {
    const noted = withRemoteLayers(plain, [node, team, node])
    expect(noted.annotations).toEqual({ [Annotation.LayersFrom]: 'docker.io/library/node 127.0.0.1:5000/team/base' })
    expect(remoteLayersOf(noted)).toEqual([node, team])
  })

  test('replace those before; none removes them, and leaves other annotations', () => {
    const noted = withRemoteLayers({ ...plain, annotations: { a: 'b' } }, [node])
    expect(remoteLayersOf(withRemoteLayers(noted, [team]))).toEqual([team])
    expect(withRemoteLayers(noted, [])).toEqual({ ...plain, annotations: { a: 'b' } })
    expect(withRemoteLayers(withRemoteLayers(plain, [node]), [])).toEqual(plain)
  })

  test('are none without a list, with one that cannot be parsed, and with an inherited one', () => {
    expect(remoteLayersOf(plain)).toEqual([])
    const inherited = Object.create({ [Annotation.LayersFrom]: 'docker.io/library/node' })
    for (const annotations of [{}, { [Annotation.LayersFrom]: '' }, { [Annotation.LayersFrom]: 'A B' }, inherited]) {
      expect(remoteLayersOf({ ...plain, annotations })).toEqual([])
    }
  })

  test('are at most sixteen, whatever the list says', () => {
    const many = Array.from({ length: 40 }, (_, i) => ({ registry: 'ghcr.io', repository: `o/r${i}` }))
    expect(remoteLayersOf(withRemoteLayers(plain, many))).toEqual(many.slice(0, 16))
    const annotations = { [Annotation.LayersFrom]: many.map(({ repository }) => `ghcr.io/${repository}`).join(' ') }
    expect(remoteLayersOf({ ...plain, annotations })).toHaveLength(16)
  })
})

test('layers and content of artifacts may stay in a registry, documents and configs may not', () => {
  expect((['layer', 'blob', 'config', 'manifest', 'index'] as const).filter(mayStayRemote)).toEqual(['layer', 'blob'])
})
