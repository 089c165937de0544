import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync, gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { loadArchive } from '../../lib/archive/index.ts'
import { historyRows } from '../../lib/cli/inspecting/history-rows.ts'
import { readImage } from '../../lib/image/index.ts'
import { readHistory } from '../../lib/inspect/index.ts'
import { createMemoryStore, type Store } from '../../lib/store/index.ts'
import { engineKinds, pulledKinds, storePulledKinds } from '../helpers/kinds-of-images.ts'
import { serveStore } from '../helpers/serve-store.ts'

/*
 * History and inspection of ten images of different kinds: what a Docker Engine says, and what this library says. Six
 * kinds are made here, and the engine pulled them; four were made by the engine, and their archives are in the record.
 * `RECORD_DOCKER=docker` (or another command that reaches an engine on this machine) writes the record anew.
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
  readonly inspect: Readonly<Record<string, unknown>> & { readonly Config: object; readonly RootFS: object }
  /** What `docker save` wrote, gzip in base64, of an image that the engine made. */
  readonly archive?: string
}

const path = join(import.meta.dirname, 'kinds-of-images.json')
const platform = 'linux/amd64'
const kinds = [...pulledKinds, ...Object.keys(engineKinds)]
const recorded = (): Recorded => JSON.parse(readFileSync(path, 'utf8'))
let store: Store

beforeAll(async () => {
  store = createMemoryStore()
  await storePulledKinds(store)
  if (process.env.RECORD_DOCKER) await record(process.env.RECORD_DOCKER.split(' '))
  for (const [name, { archive }] of Object.entries(recorded().images)) {
    if (archive) await loadArchive(store, [gunzipSync(Buffer.from(archive, 'base64'))], { name })
  }
}, 600_000)

test('the record is of ten kinds', () => {
  expect(Object.keys(recorded().images)).toEqual(kinds)
  expect(kinds).toHaveLength(10)
})

describe.each(kinds)('of an image of the kind %s', name => {
  test.each([
    ['short', { full: false, human: true }],
    ['full', { full: true, human: true }],
    ['plain', { full: true, human: false }],
  ] as const)('the %s history is that of the Docker Engine', async (style, how) => {
    const { images, at } = recorded()
    const { manifest } = await readImage(store, name, { platform })
    const steps = await readHistory(store, name, { platform, hasher: 'native' })
    expect(historyRows(steps, manifest.config.digest, { ...how, now: new Date(at) })).toEqual(images[name]![style])
  })

  test('ID, size, platform, layers and every member of the run config are those of the Docker Engine', async () => {
    const { inspect } = recorded().images[name]!
    const { config, layers, manifest } = await readImage(store, name, { platform })
    const steps = await readHistory(store, name, { platform, hasher: 'native' })
    expect({
      Id: manifest.config.digest,
      Created: config.created,
      Author: config.author ?? '',
      Architecture: config.architecture,
      Os: config.os,
      Size: steps.reduce((sum, { layer }) => sum + (layer?.size ?? 0), 0),
      Layers: layers.map(layer => layer.diffId),
      Config: withoutEmpty(config.config ?? {}),
    }).toEqual({
      Id: inspect.Id,
      Created: inspect.Created,
      Author: inspect.Author ?? '',
      Architecture: inspect.Architecture,
      Os: inspect.Os,
      Size: inspect.Size,
      Layers: (inspect.RootFS as { Layers: string[] }).Layers,
      Config: withoutEmpty(inspect.Config),
    })
  })
})

/** The members that say something: the engine prints all it knows, empty ones too, and the documents leave them out. */
function withoutEmpty(config: object): object {
  const isEmpty = (value: unknown) =>
    value === null || value === '' || value === false || (typeof value === 'object' && Object.keys(value).length === 0)
  return Object.fromEntries(
    Object.entries(config).filter(([name, value]) => !OF_CONTAINERS.test(name) && !isEmpty(value)),
  )
}

/** Members about the container of a commit or step, which Docker 28 leaves in the document and does not print. */
const OF_CONTAINERS = /^(Attach\w+|Hostname|Domainname|Image|Tty|OpenStdin|StdinOnce|NetworkDisabled|MacAddress)$/

async function record(command: readonly string[]): Promise<void> {
  const run = async (args: readonly string[], input?: Uint8Array, env?: string) => {
    const [program = '', ...before] = env ? [...command.slice(0, -1), 'env', env, command.at(-1)!] : command
    const child = execFile(program, [...before, ...args], { encoding: 'buffer', maxBuffer: 1e8 })
    child.stdin!.end(input)
    const pieces: Buffer[] = []
    child.stdout!.on('data', piece => pieces.push(Buffer.from(piece, 'latin1')))
    const [code] = await once(child, 'close')
    if (code !== 0) throw new Error(`docker ${args.join(' ')} ended with ${code}`)
    return Buffer.concat(pieces)
  }
  await using server = await serveStore(store)
  const archives: Record<string, Buffer> = {}
  for (const [kind, steps] of Object.entries(engineKinds)) {
    const env = kind === 'legacy-built' ? 'DOCKER_BUILDKIT=0' : undefined
    for (const [args, input] of steps) await run(args, input, env)
    const archive = await run(['save', `kind:${kind}`])
    // An image that was loaded does not have the intermediate images of its build.
    await run(['rmi', `kind:${kind}`])
    await run(['load'], archive)
    archives[kind] = archive
  }
  // Ages in seconds would differ from those that are computed for the time of the record.
  await sleep(75_000)
  const at = new Date().toISOString()
  const images: Record<string, unknown> = {}
  for (const kind of kinds) {
    const tag = archives[kind] ? `kind:${kind}` : `${server.host}/${kind}:latest`
    if (!archives[kind]) await run(['pull', '-q', tag])
    const lines = async (...args: string[]) =>
      (await run(['history', '--format', 'json', ...args, tag]))
        .toString()
        .trimEnd()
        .split('\n')
        .map(line => JSON.parse(line))
    // Where the engine keeps the layers, and when it was tagged, differ from machine to machine.
    const [{ GraphDriver, Metadata, ...inspect }] = JSON.parse((await run(['image', 'inspect', tag])).toString())
    images[kind] = {
      short: await lines(),
      full: await lines('--no-trunc'),
      plain: await lines('--no-trunc', '--human=false'),
      inspect,
      ...(archives[kind] && { archive: gzipSync(archives[kind]).toString('base64') }),
    }
    await run(['rmi', tag])
  }
  const engine = (await run(['version', '--format', '{{.Server.Version}}'])).toString().trim()
  writeFileSync(path, `${JSON.stringify({ engine, at, images }, null, 1)}\n`)
}
