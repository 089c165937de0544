import { expect, test } from 'vitest'
import { createMemoryStore } from '../../lib/store/index.ts'
import { type CopyPlan, parsePlan, planCopy, runCopy } from '../../lib/transfer/index.ts'
import { sampleDescriptor, sampleDigest } from '../helpers/sample-documents.ts'
import { sampleIndex } from '../helpers/sample-index.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const planned = async (): Promise<CopyPlan> => {
  const store = createMemoryStore()
  await sampleIndex(store, ['amd64', 'arm64'], 'app:1')
  return planCopy(
    { store, name: 'app:1' },
    { store: createMemoryStore() },
    { platform: ['linux/amd64', 'linux/arm64'] },
  )
}
const bytesOf = (value: unknown) => Buffer.from(JSON.stringify(value))

test('a plan survives JSON unchanged', async () => {
  const plan = await planned()
  expect(parsePlan(bytesOf(plan))).toEqual(JSON.parse(JSON.stringify(plan)))
})

test('a stored plan runs between other endpoints, and a plan without its layer steps fails', async () => {
  const source = createMemoryStore()
  const index = await sampleIndex(source, ['amd64', 'arm64'], 'app:1')
  const target = createMemoryStore()
  const ends = { from: { store: source, name: 'app:1' }, to: { store: target } }
  const plan = parsePlan(bytesOf(await planCopy(ends.from, ends.to))) as CopyPlan
  const holes = { ...plan, steps: plan.steps.filter(({ kind }) => kind !== 'layer') }
  await expect(runCopy(holes, ends)).rejects.toMatchObject({ code: expect.stringMatching(/^ERR_/) })
  expect(await target.references.get('app:1')).toBeUndefined()
  expect((await runCopy(plan, ends)).digest).toBe(index.digest)
})

test.each<[at: string, change: object]>([
  ['kind', { kind: 'constructor' }],
  ['kind', { kind: undefined }],
  ['version', { version: 2 }],
  ['from', { from: 5 }],
  ['to', { to: undefined }],
  ['bytesTotal', { bytesTotal: -1 }],
  ['bytesPresent', { bytesPresent: '1' }],
  ['platforms', { platforms: 'linux' }],
  ['platformsLeftOut', { platformsLeftOut: [1] }],
  ['tags', { tags: undefined }],
  ['index', { index: '../x' }],
  ['root', { root: { ...sampleDescriptor(), digest: 'sha256:../../x' } }],
  ['steps', { root: sampleDescriptor({ digest: sampleDigest('another') }) }],
  ['steps', { steps: {} }],
  ['steps', { steps: [] }],
  ['steps', { steps: Array(100_001).fill(null) }],
  ['steps[0]', { steps: [null] }],
])('a plan with a wrong %s is none: %j', async (at, change) => {
  const error = await thrownBy(async () => parsePlan(bytesOf({ ...(await planned()), ...change })))
  expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', at })
})

test.each<[key: string, value: unknown]>([
  ['descriptor', { mediaType: 'a/b', digest: 'sha256:x', size: 1 }],
  ['kind', '__proto__'],
  ['need', 'delete'],
  ['reason', undefined],
  ['from', {}],
  ['content', 7],
  ['offset', -1],
  ['sameDiffIdAs', 'x'],
  ['belowRoot', true],
])('a step with a wrong %s is none', async (key, value) => {
  const plan = await planned()
  const steps = plan.steps.map((step, i) => (i === 1 ? { ...step, [key]: value } : step))
  const error = await thrownBy(() => parsePlan(bytesOf({ ...plan, steps })))
  expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', at: `steps[1].${key}` })
})

test.each<[kind: string, tags: unknown]>([
  ['manifest', 'latest'],
  ['manifest', ['latest']],
  ['manifest', [`${sampleDigest('a').replace(':', '-')}.sig:latest`]],
  ['layer', [`${sampleDigest('a').replace(':', '-')}.sig`]],
])('a %s with the tags %j beside the image is none', async (kind, tags) => {
  const plan = await planned()
  const at = plan.steps.findIndex(step => step.kind === kind)
  const withTags = (value: unknown) => plan.steps.map((step, i) => (i === at ? { ...step, tags: value } : step))
  const error = await thrownBy(() => parsePlan(bytesOf({ ...plan, steps: withTags(tags) })))
  expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT', at: `steps[${at}].tags` })
})

test.each(['', '[]', 'null', '{"kind":"pull","kind":"push"}', '{"__proto__":{"kind":"pull"}}', '\ufeff{}'])(
  'a text that is no unambiguous JSON object is no plan: %j',
  async text => {
    expect(await thrownBy(() => parsePlan(Buffer.from(text)))).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
  },
)
