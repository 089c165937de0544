/** A statement about a vulnerability and products. */
export interface VexStatement {
  /** Identifiers of the vulnerability. */
  readonly ids: readonly string[]
  /** Package URLs and digests of the products. */
  readonly products: readonly VexProduct[]
  /** True if the products are not affected, or fixed. */
  readonly isCleared: boolean
}

/** A product: a package or an image; or a package within one image, which its digest selects. */
export type VexProduct = string | { readonly id: string; readonly within: string }

const CLEARED = ['not_affected', 'fixed', 'resolved', 'resolved_with_pedigree', 'false_positive']

type Json = Record<string, unknown>

/**
 * Parses a VEX document: OpenVEX, or CycloneDX with `vulnerabilities`.
 *
 * @throws SyntaxError for other documents.
 * @see {@link https://github.com/openvex/spec/blob/main/OPENVEX-SPEC.md | OpenVEX}
 * @see {@link https://cyclonedx.org/capabilities/vex/ | CycloneDX VEX}
 */
export function parseVex(text: string): VexStatement[] {
  const document = JSON.parse(text) as Json
  if (Array.isArray(document?.statements)) return objects(document.statements).map(openVex)
  if (document?.bomFormat === 'CycloneDX') return cycloneDx(document)
  throw new SyntaxError('neither OpenVEX nor CycloneDX')
}

function openVex({ vulnerability, products, status }: Json): VexStatement {
  const about = typeof vulnerability === 'string' ? { name: vulnerability } : ((vulnerability ?? {}) as Json)
  const ids = [about['@id'], about.name, ...(Array.isArray(about.aliases) ? about.aliases : [])]
  // A product with subcomponents is an image, and the statement is about these packages of it.
  const named = (Array.isArray(products) ? products : []).flatMap(product => {
    if (typeof product === 'string') return [product]
    const inner: unknown[] = Array.isArray(product?.subcomponents) ? product.subcomponents : []
    const own = texts(objects([product]).flatMap(identifiersOf))
    if (inner.length === 0) return own
    const within = own.find(isByDigest)
    const packages = texts(
      inner.flatMap(one => (typeof one === 'string' ? [one] : objects([one]).flatMap(identifiersOf))),
    )
    return packages.map(id => (within === undefined ? id : { id, within }))
  })
  return { ids: texts(ids), products: named, isCleared: CLEARED.includes(String(status)) }
}

function identifiersOf(product: Json): unknown[] {
  return [product['@id'], ...Object.values((product.identifiers ?? {}) as Json)]
}

function cycloneDx({ components, vulnerabilities }: Json): VexStatement[] {
  const purls = new Map(objects(components).map(component => [component['bom-ref'], component.purl]))
  return objects(vulnerabilities).map(({ id, analysis, affects, references }) => ({
    ids: texts([id, ...objects(references).map(reference => reference.id)]),
    // A reference to another document ends in the reference of its component.
    products: texts(
      objects(affects).map(({ ref }) => purls.get(ref) ?? String(ref).replace(/^urn:cdx:[^#]*#/, '')),
    ).map(decoded),
    isCleared: CLEARED.includes(String((analysis as Json | undefined)?.state)),
  }))
}

function decoded(text: string): string {
  try {
    return text.startsWith('pkg:') ? text : decodeURIComponent(text)
  } catch {
    return text
  }
}

/** True if a product of a statement is a package, or the image itself. A product without a version is every version. */
export function isProduct(product: VexProduct, purl: string, imageDigest: string): boolean {
  if (typeof product !== 'string')
    return namesDigest(product.within, imageDigest) && isProduct(product.id, purl, imageDigest)
  if (namesDigest(product, imageDigest)) return true
  const [wanted, actual] = [plain(product), plain(purl)]
  return wanted === actual || (!/@[^/]*$/.test(wanted) && actual.replace(/@[^@/]*$/, '') === wanted)
}

function namesDigest(product: string, digest: string): boolean {
  return product.includes(digest) || product.includes(encodeURIComponent(digest))
}

function isByDigest(product: string): boolean {
  return /sha(256|512)(:|%3A)/i.test(product)
}

function plain(purl: string): string {
  return purl.replace(/[?#].*$/s, '')
}

function objects(value: unknown): Json[] {
  return Array.isArray(value) ? value.filter(each => typeof each === 'object' && each !== null) : []
}

function texts(values: readonly unknown[]): string[] {
  return values.filter(each => typeof each === 'string')
}
