import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { openStore } from '../../lib/disk-store/index.ts'
import { cli } from '../helpers/run-cli.ts'
import { sampleImage } from '../helpers/sample-image.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

test('check ends with 1 if an advisory counts, by severity and without what VEX clears', async () => {
  using place = temporaryDirectory('check')
  const file = (name: string, value: object) => writeFileSync(join(place.path, name), JSON.stringify(value))
  const store = join(place.path, 'store')
  {
    await using opened = await openStore(store, { durability: 'none' })
    const manifest = JSON.stringify({ name: 'left', version: '1.0.0' })
    await sampleImage(opened, [{ 'node_modules/left/package.json': manifest }], { name: 'app:1' })
  }
  file('X-1.json', {
    id: 'X-1',
    affected: [
      {
        package: { ecosystem: 'npm', name: 'left' },
        ranges: [{ type: 'SEMVER', events: [{ introduced: '0' }, { fixed: '1.0.1' }] }],
      },
    ],
    database_specific: { severity: 'HIGH' },
  })
  const check = (...args: string[]) => cli(['check', 'app:1', ...args], { store })
  const db = ['--db', place.path]
  const found = await check(...db)
  expect({ code: found.code, row: found.stdout.split('\n')[1]!.split(/ {2,}/) }).toEqual({
    code: 1,
    row: ['high', 'X-1', 'left', '1.0.0', '1.0.1'],
  })
  expect((await check(...db, '--severity', 'critical')).code).toBe(0)
  const vex = join(place.path, 'vex')
  file('vex', { statements: [{ vulnerability: 'X-1', products: ['pkg:npm/left@1.0.0'], status: 'not_affected' }] })
  const cleared = await check(...db, '--vex', vex, '--json')
  expect(cleared.code).toBe(0)
  expect(JSON.parse(cleared.stdout)).toMatchObject({ failing: 0, matches: [{ id: 'X-1', isSuppressed: true }] })
  file('vex', {})
  for (const args of [[], [...db, '--severity', 'bad'], [...db, '--vex', vex]])
    expect((await check(...args)).code).toBe(2)
  expect((await check('--db', join(place.path, 'none'))).code).not.toBe(0)
})

test('check names the packages that no advisory can concern', async () => {
  using place = temporaryDirectory('check')
  const store = join(place.path, 'store')
  const record = 'Package: left\nStatus: install ok installed\nVersion: 1.0\nArchitecture: all\n\n'
  {
    await using opened = await openStore(store, { durability: 'none' })
    const files = { 'etc/os-release': 'ID=debian\nVERSION_ID="12"\n', 'var/lib/dpkg/status': record }
    await sampleImage(opened, [files], { name: 'app:1' })
  }
  const advise = (ecosystem: string) =>
    writeFileSync(
      join(place.path, 'X-1.json'),
      JSON.stringify({ id: 'X-1', affected: [{ package: { ecosystem, name: 'x' } }] }),
    )
  const check = () => cli(['check', 'app:1', '--db', place.path], { store })
  const note = 'not checked: 1 package (deb) of debian 12: no directory of --db has advisories for them'
  advise('Debian:11')
  expect(await check()).toMatchObject({ code: 0, stderr: expect.stringContaining(note) })
  advise('Debian:12')
  expect((await check()).stderr).not.toContain('not checked')
})
