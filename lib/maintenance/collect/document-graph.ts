import { LRUCache } from 'lru-cache'
import { type Digest, digestOf, isDigest, splitDigest } from '../../digest/index.ts'
import { BlobCorruptError, FormatError } from '../../errors/index.ts'
import {
  type BlobRole,
  edgesOf,
  type GraphEdge,
  type ImageDocument,
  isDocumentRole,
  parseImageDocument,
} from '../../oci/index.ts'
import type { CollectionDriver } from '../../store/index.ts'

/** What a document says of a blob below it. */
export interface Edge {
  readonly digest: Digest
  /** What it is, in a word, for people. */
  readonly word: BlobRole
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
    // What cannot be verified cannot have been stored.
    if (!isDigest(digest)) return { fault: 'has a digest that cannot be verified', missing: true }
    const bytes = await this.#driver.document(digest)
    if (!bytes) return { fault: 'is missing', missing: true }
    if (bytes.byteLength === 0) return { fault: 'is not a JSON document of at most 4 MiB' }
    try {
      const actual = await digestOf(bytes, { algorithm: splitDigest(digest).algorithm })
      if (actual !== digest) throw new BlobCorruptError({ digest, expected: digest, actual })
      const node = nodeOf(parseImageDocument(bytes, mediaType))
      this.#strict.set(digest, node)
      return node
    } catch (cause) {
      return { fault: (cause as Error).message, cause }
    }
  }

  /**
   * What a blob of any kind names if it is a manifest or an index. Never fails over what the bytes are.
   *
   * SAFETY: no digest is taken from inside anything else. A layer, a build cache or a text may mention whatever its author
   * likes; it could keep blobs of others alive, or make them look missing.
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

function nodeOf(document: ImageDocument): Node {
  const edges = edgesOf(document).map(edgeOf)
  const { subject } = document.kind === 'index' ? document.index : document.manifest
  return subject ? { edges, subject: subject.digest } : { edges }
}

function edgeOf({ descriptor: { digest, mediaType }, role, optional }: GraphEdge): Edge {
  if (isDocumentRole(role)) return { digest, word: role, document: mediaType }
  return optional ? { digest, word: role, optional } : { digest, word: role }
}

function looseNode(bytes: Uint8Array): Node {
  if (!mayBeDocument(bytes)) return NOTHING
  try {
    return nodeOf(parseImageDocument(bytes))
  } catch (error) {
    if (error instanceof FormatError) return NOTHING
    throw error
  }
}

/** PERF: most JSON blobs are configs. A document has the member `schemaVersion`, unless its name is written with escapes. */
function mayBeDocument(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  return text.includes('"schemaVersion"') || text.includes('\\u00')
}
