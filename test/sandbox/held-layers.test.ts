import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { heldLayers } from '../../lib/sandbox/snapshots/overlay/held-layers.ts'
import { SnapshotPlaces } from '../../lib/sandbox/snapshots/overlay/snapshot-places.ts'
import { needs } from '../helpers/needs.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const isLinux = needs(process.platform === 'linux', 'needs the boot id of Linux')

test.runIf(isLinux)('layers count as held or not only where the stacks can be read', async () => {
  using directory = temporaryDirectory('held')
  const places = await SnapshotPlaces.find(directory.path)
  expect((await heldLayers(places)).size).toBe(0)
  mkdirSync(places.stacks, { recursive: true })
  expect((await heldLayers(places)).size).toBe(0)
  rmSync(places.stacks, { recursive: true })
  writeFileSync(places.stacks, '')
  await expect(heldLayers(places)).rejects.toMatchObject({ code: 'ENOTDIR' })
})
