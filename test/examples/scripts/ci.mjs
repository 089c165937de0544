// A step of CI: say what will move and why, push it, and keep the last three builds.
import {
  composeImage,
  createMemoryStore,
  createRegistryClient,
  fromDirectory,
  planPush,
  readImage,
  runPush,
  writeLayer,
} from 'layerstore'
import { planTagRemoval, runTagRemoval } from 'layerstore/transfer'

const store = createMemoryStore()
const registry = createRegistryClient()
const base = await readImage(registry, 'localhost:5000/node:22-slim', { platform: 'linux/amd64' })
const layer = await writeLayer(store, fromDirectory('dist', { at: '/app' }))
const image = await composeImage(store, { base, layers: [layer] })
const plan = await planPush(store, registry, image, `localhost:5000/app:build-${process.env.BUILD}`)
console.table(plan.steps.map(({ kind, need, reason, descriptor }) => ({ kind, bytes: descriptor.size, need, reason })))
await runPush(plan)
const old = await planTagRemoval(registry, 'localhost:5000/app', { keepLast: 3, match: 'build-*' })
console.log('removed:', (await runTagRemoval(registry, old)).removed.join(' '))
