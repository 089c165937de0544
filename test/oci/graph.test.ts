import { expect, test } from 'vitest'
import type { Digest } from '../../lib/digest/index.ts'
import {
  type Descriptor,
  edgesOf,
  Limits,
  MediaType,
  parseDescriptor,
  parseImageDocument,
  walkGraph,
} from '../../lib/oci/index.ts'
import { jsonBytes, sampleDescriptor, sampleDigest, sampleIndex, sampleManifest } from '../helpers/sample-documents.ts'

const FOREIGN = 'application/vnd.oci.image.layer.nondistributable.v1.tar'
const CACHE = 'application/vnd.buildkit.cacheconfig.v0'
const blob = (name: string, mediaType: string = MediaType.OciLayerGzip): Descriptor =>
  parseDescriptor(sampleDescriptor({ mediaType, digest: sampleDigest(name) }))

/** Documents by digest, to be walked through. */
class Documents {
  readonly #texts = new Map<string, Uint8Array>()
  readonly read = async ({ descriptor }: { descriptor: Descriptor }) =>
    parseImageDocument(this.#texts.get(descriptor.digest) as Uint8Array, descriptor.mediaType)

  manifest(config: Descriptor, layers: readonly Descriptor[]): Descriptor {
    return this.#add(sampleManifest({ config, layers }), MediaType.OciManifest)
  }

  index(manifests: readonly Descriptor[]): Descriptor {
    return this.#add(sampleIndex({ manifests }), MediaType.OciIndex)
  }

  #add(document: object, mediaType: string): Descriptor {
    const bytes = jsonBytes(document)
    const digest = sampleDigest(bytes.toString()) as Digest
    this.#texts.set(digest, bytes)
    return { mediaType, digest, size: bytes.byteLength }
  }
}

test('each blob of a document has a role, by its position or its media type', () => {
  const layers = [blob('a'), blob('b', FOREIGN), blob('c', 'application/vnd.in-toto+json')]
  const manifest = parseImageDocument(jsonBytes(sampleManifest({ config: blob('config', CACHE), layers })))
  expect(edgesOf(manifest).map(({ role, optional }) => [role, optional])).toEqual([
    ['config', false],
    ['layer', false],
    ['layer', true],
    ['blob', false],
  ])
  const types = [MediaType.OciIndex, MediaType.DockerManifest, MediaType.OciLayer, MediaType.OciConfig, CACHE]
  const manifests = types.map(type => blob(type, type))
  const index = parseImageDocument(jsonBytes(sampleIndex({ manifests })))
  expect(edgesOf(index).map(({ role }) => role)).toEqual(['index', 'manifest', 'layer', 'config', 'blob'])
})

test('a walk yields children before their parents, each once, with the document that names them', async () => {
  const documents = new Documents()
  const [config, layer, cache] = [blob('config', MediaType.OciConfig), blob('layer'), blob('cache', CACHE)]
  const one = documents.manifest(config, [layer])
  const two = documents.manifest(config, [layer, layer])
  const root = documents.index([one, cache, two, one])
  const nodes = await walkGraph(root, documents)
  expect(nodes.map(node => node.descriptor)).toEqual([config, layer, one, cache, two, root])
  expect(nodes.map(node => node.parent)).toEqual([
    one.digest,
    one.digest,
    root.digest,
    root.digest,
    root.digest,
    undefined,
  ])
  expect(nodes.map(node => node.depth)).toEqual([2, 2, 1, 1, 1, 0])
})

test('a blob that is named with two sizes or media types is visited with each', async () => {
  const documents = new Documents()
  const manifest = documents.manifest(blob('config', MediaType.OciConfig), [])
  const leaf = { ...manifest, mediaType: 'application/vnd.example' }
  const root = documents.index([leaf, { ...leaf, size: 1 }, manifest])
  const nodes = await walkGraph(root, documents)
  expect(nodes.map(({ role }) => role)).toEqual(['blob', 'blob', 'config', 'manifest', 'index'])
})

test('a node for which `see` returns false is skipped with everything below it', async () => {
  const documents = new Documents()
  const root = documents.index([documents.manifest(blob('config'), [blob('layer')]), blob('cache', CACHE)])
  const nodes = await walkGraph(root, { ...documents, see: ({ role }) => role !== 'manifest', read: documents.read })
  expect(nodes.map(({ role }) => role)).toEqual(['blob', 'index'])
})

test('too deeply nested indexes are rejected before the first too deep one is read', async () => {
  const documents = new Documents()
  let root = documents.manifest(blob('config'), [])
  for (let depth = 0; depth < Limits.indexDepth; depth++) root = documents.index([root])
  expect(await walkGraph(root, documents)).toHaveLength(Limits.indexDepth + 2)
  await expect(walkGraph(documents.index([root]), documents)).rejects.toMatchObject({ code: 'ERR_INVALID_INDEX' })
})
