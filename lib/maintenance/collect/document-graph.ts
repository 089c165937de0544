import { LRUCache } from 'lru-cache'
import { type Digest, digestOf, isDigest, splitDigest } from '../../digest/index.ts'
import { BlobCorruptError, FormatError } from '../../errors/index.ts'
import {
  type BlobRole,
  edgesOf,
  type GraphEdge,
  type ImageDocument,
  isDocumentRole,
  mayBeImageDocument,
  parseImageDocument,
} from '../../oci/index.ts'
import type { CollectionDriver } from '../../store/index.ts'

/** A reference from a document to a blob below it. */
export interface Edge {
  readonly digest: Digest
  /** Role of the blob, for messages. */
  readonly word: BlobRole
  /** Media type under which to parse the blob, if it has children. */
  readonly document?: string
  /** Whether the blob may be absent. */
  readonly optional?: true
}

/** References of a document. */
export interface Node {
  readonly edges: readonly Edge[]
  /** The manifest that is its subject. */
  readonly subject?: Digest
}

/** A document whose children are unknown. */
export interface Unknown {
  readonly fault: string
  /** Whether the document does not exist. */
  readonly missing?: true
  readonly cause?: unknown
}

/** PERF: number of documents cached; the second plan of a store with 10,000 images reads no document. */
const REMEMBERED = 20_000
const REMEMBERED_LOOSE = 100_000
const NOTHING: Node = { edges: [] }

/** Reads documents of a store and caches their references, which never change under one digest. */
export class DocumentGraph {
  readonly #driver: CollectionDriver
  readonly #strict = new LRUCache<Digest, Node>({ max: REMEMBERED })
  readonly #loose = new LRUCache<Digest, Node>({ max: REMEMBERED_LOOSE })

  constructor(driver: CollectionDriver) {
    this.#driver = driver
  }

  /** References of a document that must be valid: its bytes match its digest and it follows its format. */
  async strict(digest: Digest, mediaType: string): Promise<Node | Unknown> {
    const known = this.#strict.get(digest)
    if (known) return known
    // A blob with an unverifiable digest cannot be in a store.
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
   * References of a blob of unknown type, if it is a manifest or an index. Never fails because of the content.
   *
   * SAFETY: a layer, a build cache or a text may contain any digest that its author chose. Following it would keep
   * unrelated blobs or report them as missing. So only manifests and indexes are followed.
   */
  async loose(digest: Digest): Promise<Node> {
    const known = this.#strict.get(digest) ?? this.#loose.get(digest)
    if (known) return known
    const bytes = await this.#driver.document(digest)
    // Not cached: a missing blob may be stored later.
    if (!bytes) return NOTHING
    const node = looseNode(bytes)
    this.#loose.set(digest, node)
    return node
  }
}

/** The cache of each driver lives as long as the driver. */
const graphs = new WeakMap<CollectionDriver, DocumentGraph>()

/** The document graph of a driver. */
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
  if (!mayBeImageDocument(bytes)) return NOTHING
  try {
    return nodeOf(parseImageDocument(bytes))
  } catch (error) {
    if (error instanceof FormatError) return NOTHING
    throw error
  }
}
