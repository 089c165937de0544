import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { createMemoryStore } from '../../lib/store/index.ts'
import { createFaultyRegistry } from '../../lib/testing/index.ts'
import { mixedBytes } from '../helpers/mixed-bytes.ts'
import { needsProgram } from '../helpers/needs-program.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { screenOf } from '../helpers/screen-of.ts'
import { type CliProcesses, cliProcesses } from '../helpers/start-cli.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

/*
 * What the program shows on a real terminal of 60 columns (script of util-linux), while it runs and at the end, is kept
 * in terminal-screens.txt. UPDATE_SCREENS=1 writes it anew.
 */

const file = join(import.meta.dirname, 'terminal-screens.txt')
let place: ReturnType<typeof temporaryDirectory>
let processes: CliProcesses
const remote = createMemoryStore()

// Created in a hook: no hook runs, to remove it too, if the test is skipped.
beforeAll(async () => {
  place = temporaryDirectory('terminal')
  processes = cliProcesses(place.path, join(place.path, 'store'))
  await sampleImage(remote, [{ big: mixedBytes(1_500_000) }], { name: 'far:1' })
  await using store = await openStore(join(place.path, 'store'))
  await sampleImage(store, [{ a: mixedBytes(3000) }], { name: 'app:1' })
  mkdirSync(join(place.path, 'context'))
  writeFileSync(join(place.path, 'context/Dockerfile'), 'FROM scratch\nCOPY Dockerfile /\n')
})
afterAll(() => place[Symbol.dispose]())

test.runIf(needsProgram('script'))(
  'the screens of a real terminal are those that are kept',
  { timeout: 240_000 },
  async () => {
    await using registry = await createFaultyRegistry({ store: remote })
    const slow = { kind: 'slow', bytesPerSecond: 250_000 } as const
    registry.misbehave(slow, { method: 'GET', path: /blobs/, times: 2 })
    const { host } = registry
    const lines = [
      ['pull', `${host}/far:1`, '-j', '1'],
      ['pull', `${host}/far:1`, '-j', '1'],
      ['push', 'app:1', `${host}/app:1`, '-j', '1'],
      ['copy', `${host}/far:1`, `oci:${join(place.path, 'layout')}:1`, '-j', '1'],
      ['build', join(place.path, 'context'), '-t', 'built:1'],
      ['images', '--format', '{{.Name}}'],
      ['imagse'],
      ['pull', '--platfrm', 'x'],
    ]
    const shown: string[] = []
    for (const line of lines) {
      const run = processes.start(line, { tty: true, columns: 60 })
      const title = stable(`$ layerstore ${line.join(' ')}`, host)
      if (shown.length === 0) {
        // The rate is known after a moment.
        let moving = ''
        const isMoving = () => {
          moving = screenOf(run.text.stdout.replaceAll('\r\n', '\n'))
          return /total .*B\/s +\d+s/.test(moving)
        }
        await expect.poll(isMoving).toBe(true)
        expect(moving.split('\n').every(text => text.length < 60)).toBe(true)
        shown.push(`${title}\n${stable(moving, host)}while it runs\n`)
      }
      const code = await run.ended
      shown.push(`${title}\n${stable(screenOf(run.text.stdout.replaceAll('\r\n', '\n')), host)}[exit code ${code}]\n`)
    }
    const text = shown.join('\n')
    if (process.env.UPDATE_SCREENS) writeFileSync(file, text)
    expect(text).toBe(readFileSync(file, 'utf8'))
  },
)

/** Replaces what differs from run to run; a summary has a time only if the transfer took a second. */
function stable(text: string, host: string): string {
  return text
    .replaceAll(place.path, '/home/me')
    .replaceAll(host, '127.0.0.1:50000')
    .replace(/\b(?:[0-9a-f]{64}|[0-9a-f]{12})\b/g, hex => '0'.repeat(hex.length))
    .replace(/\[=* *\].*$/gm, '[====          ] …')
    .replace(/ in \d+s(, \S+\/s)?/g, '')
    .replace(/\d+(\.\d+)?(B|kB|MB)\b/g, '#B')
    .replace(/\d+\.\d+s\b/g, '0.0s')
}
