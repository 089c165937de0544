import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { expect, test } from 'vitest'
import { parseDigest } from '../../lib/digest/index.ts'
import { diffPackages, type FoundPackage, type PackageList, toCycloneDx, toSpdx } from '../../lib/trust/index.ts'
import { makePurl } from '../../lib/trust/sbom/make-purl.ts'

const digest = parseDigest(`sha256:${'a'.repeat(64)}`)
const npm = (name: string, version: string, license?: string): FoundPackage => ({
  type: 'npm',
  name,
  version,
  purl: `pkg:npm/${name}@${version}`,
  ...(license === undefined ? {} : { license }),
  path: `node_modules/${name}/package.json`,
  layer: 1,
  diffId: digest,
})
const listOf = (...packages: FoundPackage[]): PackageList => ({
  version: 1,
  digest,
  created: '2026-01-02T03:04:05.678Z',
  os: { id: 'debian', version: '12' },
  packages,
  unread: [],
})
const list = listOf(npm('@s/a', '1.0.0', '(MIT OR Apache-2.0)'), npm('b', '2.0.0', 'SEE LICENSE IN x'), npm('c', '1'))

test('an SPDX document says what the image contains, under which licence, and where it was found', () => {
  const document = JSON.parse(JSON.stringify(toSpdx(list, { name: 'app:1' })))
  expect(document).toMatchObject({
    spdxVersion: 'SPDX-2.3',
    SPDXID: 'SPDXRef-DOCUMENT',
    documentNamespace: `https://spdx.org/spdxdocs/layerstore-${'a'.repeat(64)}`,
    creationInfo: { created: '2026-01-02T03:04:05Z' },
  })
  const [image, a, b, c] = document.packages
  expect(image).toMatchObject({ name: 'app:1', versionInfo: digest, primaryPackagePurpose: 'CONTAINER' })
  expect(a).toMatchObject({
    name: '@s/a',
    versionInfo: '1.0.0',
    licenseDeclared: '(MIT OR Apache-2.0)',
    sourceInfo: `found in /node_modules/@s/a/package.json, brought by layer ${digest}`,
    externalRefs: [
      { referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator: list.packages[0]!.purl },
    ],
  })
  expect(b).toMatchObject({ licenseDeclared: 'NOASSERTION', licenseComments: 'The package states: SEE LICENSE IN x' })
  expect(c).not.toHaveProperty('licenseComments')
  expect(document.relationships).toEqual([
    { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: 'SPDXRef-image' },
    ...[a, b, c].map(({ SPDXID }) => ({
      spdxElementId: 'SPDXRef-image',
      relationshipType: 'CONTAINS',
      relatedSpdxElement: SPDXID,
    })),
  ])
})

test('a CycloneDX document has a component for the system and for each package, with evidence and layer', () => {
  const document = JSON.parse(JSON.stringify(toCycloneDx(list, { name: 'app:1', created: new Date(0) })))
  expect(document).toMatchObject({
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    metadata: { timestamp: '1970-01-01T00:00:00Z', component: { type: 'container', name: 'app:1', version: digest } },
  })
  const [os, a, b, c] = document.components
  expect(os).toEqual({ type: 'operating-system', 'bom-ref': 'os:debian', name: 'debian', version: '12' })
  expect(a).toEqual({
    type: 'library',
    'bom-ref': 'pkg:npm/@s/a@1.0.0#node_modules/@s/a/package.json',
    group: '@s',
    name: 'a',
    version: '1.0.0',
    licenses: [{ expression: '(MIT OR Apache-2.0)' }],
    purl: 'pkg:npm/@s/a@1.0.0',
    evidence: { occurrences: [{ location: '/node_modules/@s/a/package.json' }] },
    properties: [
      { name: 'layerstore:layer:index', value: '1' },
      { name: 'layerstore:layer:diffId', value: digest },
    ],
  })
  expect(b.licenses).toEqual([{ license: { name: 'SEE LICENSE IN x' } }])
  expect(c).not.toHaveProperty('licenses')
})

test.each([
  ['MIT', true],
  ['GPL-2.0-only WITH Classpath-exception-2.0', true],
  ['(MIT OR (GPL-3.0+ AND ISC))', true],
  ['MIT AND', false],
  ['(MIT', false],
  ['BSD License', false],
  ['', false],
  ['AND OR AND', false],
  ['LicenseRef-own AND MIT', true],
  ['BSD', false],
  ['GPLv2', false],
  ['MIT WITH MIT', false],
  ['MIT WITH Classpath-exception-2.0 WITH Classpath-exception-2.0', false],
  ['MIT)', false],
  ['()', false],
  ['MIT (ISC)', false],
  ['(MIT) WITH Classpath-exception-2.0', false],
  ['MIT WITH (Classpath-exception-2.0)', false],
])('the licence %j is an SPDX expression: %s', (license, isExpression) => {
  const [, described] = toSpdx(listOf(npm('a', '1', license)), { name: 'x' }).packages as Record<string, unknown>[]
  expect(described!.licenseDeclared).toBe(isExpression ? license : 'NOASSERTION')
})

test.each([
  [{ id: 'rhel', version: '9.4' }, 'redhat/a@1-1?distro=rhel-9.4&epoch=2'],
  [{ id: 'sles', version: '15.5' }, 'suse/a@1-1?distro=sles-15.5&epoch=2'],
  [{ id: 'opensuse-leap', version: '15.6' }, 'opensuse/a@1-1?distro=opensuse-leap-15.6&epoch=2'],
  [{ id: 'openEuler' }, 'openeuler/a@1-1?distro=openEuler&epoch=2'],
  [{ id: 'rocky', version: '9' }, 'rocky/a@1-1?distro=rocky-9&epoch=2'],
  [undefined, 'redhat/a@1-1?epoch=2'],
  [{ id: 'constructor' }, 'constructor/a@1-1?distro=constructor&epoch=2'],
])('the package URL of a package of rpm in %j has the vendor', (os, purl) => {
  expect(makePurl('rpm', { name: 'a', version: '2:1-1' }, os)).toBe(`pkg:rpm/${purl}`)
})

test('a difference lists added and removed packages, and other versions of those that stay', () => {
  const older = listOf(npm('gone', '1'), npm('same', '1'), npm('up', '1'), npm('up', '2'), npm('up', '2'))
  const newer = listOf(
    npm('same', '1'),
    npm('up', '2'),
    npm('up', '3'),
    npm('new', '1'),
    npm('twice', '1'),
    npm('twice', '2'),
  )
  expect(diffPackages(older, newer)).toEqual({
    added: [npm('new', '1'), npm('twice', '1'), npm('twice', '2')],
    removed: [npm('gone', '1')],
    changed: [{ type: 'npm', name: 'up', before: ['1'], after: ['3'], direction: 'upgrade' }],
  })
  expect(diffPackages(older, older)).toEqual({ added: [], removed: [], changed: [] })
  const directions = (type: FoundPackage['type'], before: string[], after: string[]) => {
    const of = (versions: string[]) => listOf(...versions.map(version => ({ ...npm('a', version), type })))
    return diffPackages(of(before), of(after)).changed.map(({ direction }) => direction)
  }
  expect(directions('npm', ['1.10.0'], ['1.9.0'])).toEqual(['downgrade'])
  expect(directions('rpm', ['1.0~rc1-1'], ['1.0-1'])).toEqual(['upgrade'])
  expect(directions('npm', ['1.0.0'], ['v1.0.0'])).toEqual([undefined])
  expect(directions('maven', ['1'], ['2'])).toEqual([undefined])
  expect(directions('npm', ['1.0.0', '2.0.0'], ['3.0.0'])).toEqual([undefined])
})

/** A package of every kind, with licences of every form. */
function everyKind(): FoundPackage[] {
  const packages = ['MIT', 'BSD', 'MIT OR GPL-2.0-only WITH Classpath-exception-2.0', undefined].flatMap(license =>
    (['deb', 'apk', 'rpm', 'npm', 'pypi', 'golang', 'maven'] as const).map(type => {
      const name = type === 'maven' ? 'g:a' : encodeURIComponent(`${license}`)
      return { ...npm(name, '1', license), type }
    }),
  )
  return packages.map((one, i) => ({ ...one, path: `p${i}` }))
}

/** The official schema of CycloneDX, with the two that it refers to. */
function cycloneDxValidator() {
  const place = join(import.meta.dirname, '../../node_modules/@cyclonedx/cyclonedx-library/res/schema')
  const read = (name: string) => JSON.parse(readFileSync(join(place, `${name}.SNAPSHOT.schema.json`), 'utf8'))
  const ajv = new Ajv({ strict: false, validateFormats: true, formats: { 'idn-email': true, 'iri-reference': true } })
  addFormats.default(ajv)
  for (const name of ['spdx', 'jsf-0.82'])
    ajv.addSchema({ ...read(name), $id: `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json` })
  return ajv.compile(read('bom-1.6'))
}

test('CycloneDX documents are valid by the official schema', () => {
  const validate = cycloneDxValidator()
  for (const each of [list, listOf(), listOf(...everyKind())]) {
    validate(JSON.parse(JSON.stringify(toCycloneDx(each, { name: 'app:1' }))))
    expect(validate.errors).toBeNull()
  }
  expect(validate({ ...toCycloneDx(list, { name: 'app:1' }), version: 0 })).toBe(false)
})

const TIME = '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T(([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]|23:59:60)Z$'
const text = { type: 'string' }
const closed = (properties: Record<string, object>, required: readonly string[]) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
})
const listed = (items: object) => ({ type: 'array', items })
/**
 * Rules of the official schema of SPDX 2.3.1 (schemas/spdx-schema.json of spdx-spec) for the members that are written
 * here; no package has that file. Members that it knows and that are not written are refused, as are those that it does
 * not know. Beyond the schema, a locator has no space.
 */
const SPDX = closed(
  {
    SPDXID: { const: 'SPDXRef-DOCUMENT' },
    spdxVersion: { const: 'SPDX-2.3' },
    dataLicense: { const: 'CC0-1.0' },
    name: text,
    documentNamespace: { type: 'string', format: 'uri', pattern: '^[^#]+$' },
    creationInfo: closed({ created: { type: 'string', pattern: TIME }, creators: { ...listed(text), minItems: 1 } }, [
      'created',
      'creators',
    ]),
    packages: listed(
      closed(
        {
          SPDXID: { type: 'string', pattern: '^SPDXRef-[a-zA-Z0-9.-]+$' },
          name: text,
          versionInfo: text,
          primaryPackagePurpose: { enum: ['CONTAINER'] },
          downloadLocation: text,
          filesAnalyzed: { type: 'boolean' },
          sourceInfo: text,
          supplier: { type: 'string', pattern: '^(NOASSERTION|(Person|Organization): .+)$' },
          licenseConcluded: text,
          licenseDeclared: text,
          licenseComments: text,
          copyrightText: text,
          externalRefs: listed(
            closed(
              {
                referenceCategory: { enum: ['OTHER', 'PERSISTENT-ID', 'SECURITY', 'PACKAGE-MANAGER'] },
                referenceType: text,
                referenceLocator: { type: 'string', pattern: '^pkg:\\S+$' },
              },
              ['referenceCategory', 'referenceLocator', 'referenceType'],
            ),
          ),
        },
        ['SPDXID', 'downloadLocation', 'name'],
      ),
    ),
    relationships: listed(
      closed({ spdxElementId: text, relatedSpdxElement: text, relationshipType: { enum: ['DESCRIBES', 'CONTAINS'] } }, [
        'spdxElementId',
        'relatedSpdxElement',
        'relationshipType',
      ]),
    ),
  },
  ['SPDXID', 'creationInfo', 'dataLicense', 'name', 'spdxVersion', 'documentNamespace'],
)

test('SPDX documents keep the rules of the official schema, and name each element once', () => {
  const ajv = new Ajv()
  addFormats.default(ajv)
  const validate = ajv.compile(SPDX)
  for (const each of [list, listOf(), listOf(...everyKind()), { ...listOf(), created: 'yesterday' }]) {
    const document = JSON.parse(JSON.stringify(toSpdx(each, { name: 'app:1' })))
    validate(document)
    expect(validate.errors).toBeNull()
    const ids: string[] = ['SPDXRef-DOCUMENT', ...document.packages.map(({ SPDXID }: { SPDXID: string }) => SPDXID)]
    expect(new Set(ids).size).toBe(ids.length)
    for (const { spdxElementId, relatedSpdxElement } of document.relationships)
      expect(ids).toEqual(expect.arrayContaining([spdxElementId, relatedSpdxElement]))
  }
  expect(validate({ ...toSpdx(list, { name: 'app:1' }), files: 'x' })).toBe(false)
})

test('a time that is none does not make an invalid document', () => {
  const { metadata } = toCycloneDx({ ...list, created: 'yesterday' }, { name: 'x' }) as { metadata: object }
  expect(metadata).toMatchObject({ timestamp: '1970-01-01T00:00:00Z' })
})
