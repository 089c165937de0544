import type { Digest } from '../../digest/index.ts'
import type { AbortOptions } from '../../internal/abort.ts'
import { settleAll } from '../../internal/settle-all.ts'
import { mayStayRemote } from '../../oci/index.ts'
import type { DocumentGraph, Edge, Node, Unknown } from './document-graph.ts'

/** Kind of root that keeps a blob, strongest first. */
export type RootKind = 'name' | 'record' | 'ingest' | 'lease' | 'young'

/** One step of a walk. */
export interface Visit {
  readonly digest: Digest
  /** Human-readable path of references. */
  readonly why: string
  readonly root: RootKind
  /** Required media type of the document. Without it the blob may be anything. */
  readonly document?: string
  /** Whether a name or an entry of the index refers to this blob directly. */
  readonly named?: true
  /** Whether to follow the references of the blob as far as it is a manifest or an index, and ignore faults. */
  readonly loose?: true
  readonly optional?: true
  /** True if the layers below may be absent, because the name records the registry that holds them. */
  readonly remoteLayers?: true
}

/** Reason why a blob stays. */
export interface Mark {
  readonly why: string
  readonly root: RootKind
}

/** A fault found during the walk. */
export interface Finding {
  readonly digest: Digest
  readonly why: string
  readonly cause?: unknown
}

/** PERF: number of documents read at once. More gain nothing on a disk; 64 hashers take 0.4 s and 60 MB more. */
const AT_ONCE = 16
/** PERF: number of roots walked at once. Walking all roots of 10,000 images at once takes 20 MB more. */
const ROOTS = 256

/**
 * Marks every reachable blob, breadth first, so that the recorded paths are short. A blob reached strictly (from names)
 * must be valid; a blob reached loosely (from leases, young blobs and the like) is followed as far as possible.
 */
export class GraphMarker {
  readonly marks = new Map<Digest, Mark>()
  /** Blobs that may be absent wherever a document refers to them. */
  readonly optional = new Set<Digest>()
  /** Documents that an index refers to and the store does not have. */
  readonly missing: Finding[] = []
  /** Documents whose children are unknown. */
  readonly unknown: Finding[] = []
  /** Manifests with a subject, by that subject. */
  readonly referrers: Map<Digest, Digest[]>
  readonly #graph: DocumentGraph
  #last: Mark = { why: '', root: 'name' }
  readonly #followed = new Map<Digest, 'strict' | 'remote' | 'loose'>()

  constructor(graph: DocumentGraph, referrers: Map<Digest, Digest[]> = new Map()) {
    this.#graph = graph
    this.referrers = referrers
  }

  /** Marks these blobs and all blobs below them. */
  async walk(roots: readonly Visit[], options: AbortOptions = {}): Promise<void> {
    for (let i = 0; i < roots.length; i += ROOTS) await this.#walkSome(roots.slice(i, i + ROOTS), options)
  }

  async #walkSome(roots: readonly Visit[], options: AbortOptions): Promise<void> {
    let front = roots
    while (front.length > 0) {
      const documents: Visit[] = []
      const next: Visit[] = []
      for (const visit of front) {
        this.#mark(visit, next)
        if (this.#isToFollow(visit)) documents.push(visit)
      }
      for (let i = 0; i < documents.length; i += AT_ONCE) {
        options.signal?.throwIfAborted()
        const batch = documents.slice(i, i + AT_ONCE)
        const found = await settleAll(batch.map(visit => this.#follow(visit)))
        for (const visits of found) next.push(...visits)
      }
      front = next
    }
  }

  #mark({ digest, why, root, optional }: Visit, next: Visit[]): void {
    if (this.marks.has(digest)) {
      if (!optional) this.optional.delete(digest)
      return
    }
    // PERF: all layers of an image share one reason object.
    if (this.#last.why !== why || this.#last.root !== root) this.#last = { why, root }
    this.marks.set(digest, this.#last)
    if (optional) this.optional.add(digest)
    for (const referrer of this.referrers.get(digest) ?? []) next.push(referrerVisit(referrer, why, root))
  }

  /**
   * Whether the blob must be followed: a blob that was followed loosely, or for a name that may lack its layers, is
   * followed again if it is now reached strictly.
   */
  #isToFollow({ digest, document, loose, remoteLayers }: Visit): boolean {
    const strictly = remoteLayers ? 'remote' : 'strict'
    const wanted = document === undefined ? (loose ? 'loose' : undefined) : strictly
    const done = this.#followed.get(digest)
    if (!wanted || done === 'strict' || done === wanted || (done && wanted === 'loose')) return false
    this.#followed.set(digest, wanted)
    return true
  }

  async #follow(visit: Visit): Promise<Visit[]> {
    const { digest, document, why } = visit
    if (document === undefined) return below(visit, await this.#graph.loose(digest), true)
    const node = await this.#graph.strict(digest, document)
    if ('edges' in node) return below(visit, node, false)
    if (node.missing && !visit.named) {
      this.missing.push({ digest, why })
      return []
    }
    this.unknown.push(findingOf(visit, node))
    return node.missing ? [] : below(visit, await this.#graph.loose(digest), true)
  }

  /** Records the subject of a manifest; marks the manifest if the subject is marked. */
  async addReferrer(referrer: Digest, subject: Digest, options: AbortOptions = {}): Promise<void> {
    const known = this.referrers.get(subject)
    if (known?.includes(referrer)) return
    if (known) known.push(referrer)
    else this.referrers.set(subject, [referrer])
    const mark = this.marks.get(subject)
    if (mark) await this.walk([referrerVisit(referrer, mark.why, mark.root)], options)
  }
}

function below(visit: Visit, node: Node, loose: boolean): Visit[] {
  let [word, why] = ['', '']
  const { root, remoteLayers } = visit
  return node.edges.map(edge => {
    if (edge.word !== word) [word, why] = [edge.word, `${visit.why} → ${edge.word}`]
    const step = stepTo(edge, why, root, loose)
    if (!remoteLayers) return step
    return mayStayRemote(edge.word) ? { ...step, optional: true } : { ...step, remoteLayers }
  })
}

function stepTo({ digest, document, optional }: Edge, why: string, root: RootKind, loose: boolean): Visit {
  const step: Visit = optional ? { digest, root, why, optional } : { digest, root, why }
  if (document === undefined) return step
  return loose ? { ...step, loose: true } : { ...step, document }
}

function referrerVisit(digest: Digest, why: string, root: RootKind): Visit {
  return { digest, root, why: `${why} → referrer`, loose: true }
}

function findingOf({ digest, why }: Visit, { fault, cause }: Unknown): Finding {
  return { digest, why: `${why} ${fault}`, ...(cause === undefined ? {} : { cause }) }
}
