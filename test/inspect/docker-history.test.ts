import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { writeArchive } from '../../lib/archive/index.ts'
import { HISTORY_HEADINGS, historyRows } from '../../lib/cli/inspecting/history-rows.ts'
import { formatTemplate } from '../../lib/cli/printing/format-template.ts'
import { readImage } from '../../lib/image/index.ts'
import { readHistory } from '../../lib/inspect/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { historyImages, storeHistoryImages } from '../helpers/history-images.ts'
import { readAll } from '../helpers/read-all.ts'

/*
 * What a Docker Engine says about ten images, and what this library says. `RECORD_DOCKER=docker` (or another command
 * that reaches an engine with an overlay2 store) loads the images into it and writes the file anew.
 */

interface Recorded {
  readonly engine: string
  readonly at: string
  readonly images: Readonly<Record<string, RecordedImage>>
}

interface RecordedImage {
  /** Lines of `docker history --format json`, with and without `--no-trunc`, and of `--human=false`. */
  readonly short: readonly object[]
  readonly full: readonly object[]
  readonly plain: readonly object[]
  readonly table: string
  readonly inspect: {
    readonly Size: number
    readonly Config: { readonly Env: string[] | null; readonly Labels: Record<string, string> | null }
    readonly RootFS: { readonly Layers: string[] }
  }
}

const path = join(import.meta.dirname, 'docker-history.json')
const docker = process.env.RECORD_DOCKER
let store: Store

beforeAll(async () => {
  store = createMemoryStore()
  await storeHistoryImages(store)
  if (docker) await record(docker.split(' '))
})

const recorded = (): Recorded => JSON.parse(readFileSync(path, 'utf8'))

describe.each(Object.keys(historyImages))('of %s', name => {
  test.each([
    ['short', { full: false, human: true }],
    ['full', { full: true, human: true }],
    ['plain', { full: true, human: false }],
  ] as const)('the %s history is that of the Docker Engine', async (style, how) => {
    const { images, at } = recorded()
    const rows = await rowsOf(name, { ...how, now: new Date(at) })
    expect(rows).toEqual(images[name]![style])
  })

  test('the table is that of the Docker Engine', async () => {
    const { images, at } = recorded()
    const rows = await rowsOf(name, { full: false, human: true, now: new Date(at) })
    const columns = 'table {{.ID}}\t{{.CreatedSince}}\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}'
    const lines = (text: string) => text.split('\n').map(line => line.replace(/ {2,}/g, '  ').trimEnd())
    expect(lines(formatTemplate(columns, rows, HISTORY_HEADINGS))).toEqual(lines(images[name]!.table))
  })

  test('size, variables, labels and layers are those that the Docker Engine inspects', async () => {
    const { Size, Config, RootFS } = recorded().images[name]!.inspect
    const { config, layers } = await readImage(store, name)
    const steps = await readHistory(store, name, { hasher: 'native' })
    expect({
      size: steps.reduce((sum, { layer }) => sum + (layer?.size ?? 0), 0),
      env: config.config?.Env ?? [],
      labels: config.config?.Labels ?? {},
      layers: layers.map(layer => layer.diffId),
    }).toEqual({ size: Size, env: Config.Env ?? [], labels: Config.Labels ?? {}, layers: RootFS.Layers })
  })
})

test('the record is of ten images and names its engine', () => {
  const { engine, images } = recorded()
  expect(engine).toMatch(/^\d+\.\d+/)
  expect(Object.keys(images)).toHaveLength(10)
})

async function rowsOf(name: string, style: Parameters<typeof historyRows>[2]) {
  const { manifest } = await readImage(store, name)
  return historyRows(await readHistory(store, name, { hasher: 'native' }), manifest.config.digest, style)
}

async function record(command: readonly string[]): Promise<void> {
  const run = (args: readonly string[], input?: Uint8Array) =>
    execFileSync(command[0]!, [...command.slice(1), ...args], { encoding: 'utf8', input })
  const images: Record<string, unknown> = {}
  const at = new Date().toISOString()
  for (const name of Object.keys(historyImages)) {
    const tag = `inspect-record:${name}`
    const root = (await store.references.get(name))!
    await store.references.set(tag, root)
    run(['load'], await readAll(writeArchive(store, [tag], { format: 'docker' })))
    const lines = (...args: string[]) =>
      run(['history', '--format', 'json', ...args, tag])
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line))
    const [{ Size, Config, RootFS }] = JSON.parse(run(['image', 'inspect', tag]))
    images[name] = {
      short: lines(),
      full: lines('--no-trunc'),
      plain: lines('--no-trunc', '--human=false'),
      table: run(['history', tag]),
      inspect: { Size, Config: { Env: Config?.Env ?? null, Labels: Config?.Labels ?? null }, RootFS },
    }
    run(['rmi', tag])
  }
  const engine = run(['version', '--format', '{{.Server.Version}}']).trim()
  writeFileSync(path, `${JSON.stringify({ engine, at, images }, null, 1)}\n`)
}
