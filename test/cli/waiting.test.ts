import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { createOwner } from '../../lib/internal/locks/owner.ts'
import { cli } from '../helpers/run-cli.ts'
import { putStoreImage } from '../helpers/store-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

let directory: ReturnType<typeof temporaryDirectory>
let holder: ReturnType<typeof spawn>
const lock = () => join(directory.path, '.layerstore/locks/index')

/** A stopped process holds the lock of the list of names. */
beforeEach(async () => {
  directory = temporaryDirectory('cli-waiting')
  await using store = await openStore(directory.path, { durability: 'none' })
  await store.references.set('app:1', (await putStoreImage(store)).manifest)
  holder = spawn(process.execPath, ['-e', 'setTimeout(() => {}, 60_000)'])
  await once(holder, 'spawn')
  holder.kill('SIGSTOP')
  const stat = () => readFileSync(`/proc/${holder.pid}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
  await expect.poll(() => stat()[0]).toBe('T')
  const owner = { ...(await createOwner()), pid: holder.pid, start: stat()[19], created: '2026-11-29T10:00:00.000Z' }
  writeFileSync(lock(), JSON.stringify(owner))
})
afterEach(async () => {
  holder.kill('SIGKILL')
  await once(holder, 'close')
  directory[Symbol.dispose]()
})

describe('a command that waits for a stopped process', () => {
  const told = () =>
    `waiting for .layerstore/locks/index, held by process ${holder.pid} on [^ ]+ since 2026-11-29T10:00:00.000Z: ` +
    `it is stopped; resume it with "kill -CONT ${holder.pid}" or end it with "kill -KILL ${holder.pid}"`

  test('reports after two seconds which process holds which lock, since when, and advice; and again when it is interrupted', async () => {
    const stop = new AbortController()
    const { code, stdout, stderr } = await cli(['tag', 'app:1', 'app:2'], {
      store: directory.path,
      signal: stop.signal,
      onStderr: () => stop.abort(new Error('SIGINT')),
    })
    expect({ code, stdout }).toEqual({ code: 130, stdout: '' })
    const [line, end, ...more] = stderr.split('\n')
    expect(line).toMatch(new RegExp(`^${told()}$`))
    expect(end).toMatch(new RegExp(`^layerstore: stopped while ${told()} \\(ERR_ABORTED\\)$`))
    expect(more).toEqual([''])
  })

  test('continues when the lock is free, and says so with --quiet and --json, too', async () => {
    const { code, stdout, stderr } = await cli(['--quiet', '--json', 'rm', 'app:1'], {
      store: directory.path,
      onStderr: () => rmSync(lock(), { force: true }),
    })
    expect({ code, error: JSON.parse(stdout || '{}').error }).toEqual({ code: 0, error: undefined })
    expect(stderr).toMatch(new RegExp(`^${told()}\n$`))
  })
})
