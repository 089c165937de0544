import { LRUCache } from 'lru-cache'
import { type Digest, digestOf, isDigest, splitDigest } from '../../digest/index.ts'
import { BlobCorruptError } from '../../errors/index.ts'
import {
  type Descriptor,
  type ImageDocument,
  isConfigType,
  isForeignLayerType,
  isIndexType,
  isLayerType,
  parseImageDocument,
} from '../../spec/index.ts'
import type { CollectionDriver } from './collection-driver.ts'

/** What a document says of a blob below it. */
export interface Edge {
  readonly digest: Digest
  /** What it is, in a word, for people. */
  readonly word: 'index' | 'manifest' | 'config' | 'layer' | 'blob'
  /** Media type to read it as, if it has children. */
  readonly document?: string
  /** Whether it may be absent. */
  readonly optional?: true
}

/** What is known of a document. */
export interface Node {
  readonly edges: readonly Edge[]
  /** The manifest that it is about. */
  readonly subject?: Digest
}

/** A document whose children cannot be known. */
export interface Unknown {
  readonly fault: string
  /** Whether it is not there at all. */
  readonly missing?: true
  readonly cause?: unknown
}

/** PERF: a store of 10,000 images is planned from memory the second time. */
const REMEMBERED = 20_000
const REMEMBERED_LOOSE = 100_000
const NOTHING: Node = { edges: [] }

/** Reads documents of a store, and remembers what they say: under one digest that never changes. */
export class DocumentGraph {
  readonly #driver: CollectionDriver
  readonly #strict = new LRUCache<Digest, Node>({ max: REMEMBERED })
  readonly #loose = new LRUCache<Digest, Node>({ max: REMEMBERED_LOOSE })

  constructor(driver: CollectionDriver) {
    this.#driver = driver
  }

  /** What is below a document, proven: its bytes are its digest's and it follows its format. */
  async strict(digest: Digest, mediaType: string): Promise<Node | Unknown> {
    const known = this.#strict.get(digest)
    if (known) return known
    const bytes = await this.#driver.document(digest)
    if (!bytes) return { fault: 'is missing', missing: true }
    if (bytes.byteLength === 0) return { fault: 'is not a JSON document of at most 4 MiB' }
    try {
      const actual = await digestOf(bytes, { algorithm: splitDigest(digest).algorithm })
      if (actual !== digest) throw new BlobCorruptError({ digest, expected: digest, actual })
      const document = parseImageDocument(bytes, mediaType)
      const { subject } = document.kind === 'index' ? document.index : document.manifest
      const node = nodeOf(edgesOf(document), subject?.digest)
      this.#strict.set(digest, node)
      return node
    } catch (cause) {
      return { fault: (cause as Error).message, cause }
    }
  }

  /**
   * What a blob of any kind seems to name: the parts of a manifest, else every digest that a JSON text mentions. Nothing
   * for what is no JSON object. Never fails over what the bytes are.
   */
  async loose(digest: Digest): Promise<Node> {
    const known = this.#strict.get(digest) ?? this.#loose.get(digest)
    if (known) return known
    const bytes = await this.#driver.document(digest)
    // What is not there may come.
    if (!bytes) return NOTHING
    const node = looseNode(bytes)
    this.#loose.set(digest, node)
    return node
  }
}

/** The memory of each driver lives as long as the driver. */
const graphs = new WeakMap<CollectionDriver, DocumentGraph>()

/** The graph of a driver's documents. */
export function graphOf(driver: CollectionDriver): DocumentGraph {
  const graph = graphs.get(driver) ?? new DocumentGraph(driver)
  graphs.set(driver, graph)
  return graph
}

function nodeOf(edges: readonly Edge[], subject: Digest | undefined): Node {
  return subject === undefined ? { edges } : { edges, subject }
}

function edgesOf(document: ImageDocument): readonly Edge[] {
  if (document.kind === 'index') return document.index.manifests.map(edgeOfIndex)
  const { config, layers } = document.manifest
  return [{ digest: config.digest, word: 'config' }, ...layers.map(edgeOfManifest)]
}

/** An index may hold anything; what is neither config nor layer is read as a document, and must be one. */
function edgeOfIndex(child: Descriptor): Edge {
  const { digest, mediaType } = child
  if (isConfigType(mediaType)) return { digest, word: 'config' }
  if (isLayerType(mediaType)) return edgeOfManifest(child)
  return { digest, word: isIndexType(mediaType) ? 'index' : 'manifest', document: mediaType }
}

function edgeOfManifest({ digest, mediaType }: Descriptor): Edge {
  if (!isLayerType(mediaType)) return { digest, word: 'blob' }
  return isForeignLayerType(mediaType) ? { digest, word: 'layer', optional: true } : { digest, word: 'layer' }
}

function looseNode(bytes: Uint8Array): Node {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  const mentioned = new Set(text.match(/\b(?:sha256:[0-9a-f]{64}|(?:sha512:[0-9a-f]{64}|blake3:)[0-9a-f]{64})\b/g))
  if (mentioned.size === 0) return NOTHING
  const subject = text.includes('"subject"') ? subjectIn(bytes) : undefined
  try {
    return nodeOf(edgesOf(parseImageDocument(bytes)), subject)
  } catch {
    const edges = [...mentioned].filter(isDigest).map(digest => ({ digest, word: 'blob' as const }))
    return nodeOf(
      edges.filter(edge => edge.digest !== subject),
      subject,
    )
  }
}

function subjectIn(bytes: Uint8Array): Digest | undefined {
  try {
    const digest: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'))?.subject?.digest
    return typeof digest === 'string' && isDigest(digest) ? digest : undefined
  } catch {
    return undefined
  }
}
