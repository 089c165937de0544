import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { elfHeader } from '../../../lib/sandbox/executors/platforms/elf-header.ts'
import { type Interpreter, readInterpreters } from '../../../lib/sandbox/executors/platforms/interpreters.ts'
import { platformFault } from '../../../lib/sandbox/executors/platforms/platform-fault.ts'
import { bubblewrap, chroot, machineExecutor, runc } from '../../../lib/sandbox/index.ts'
import { temporaryDirectory } from '../../helpers/temporary-directory.ts'

/** Lines of the kernel for qemu as Debian registers it. */
const QEMU = `enabled
interpreter /usr/libexec/qemu-binfmt/aarch64-binfmt-P
flags: POCF
offset 0
magic 7f454c460201010000000000000000000200b700
mask ffffffffffffff00fffffffffffffffffeffffff
`

let place: ReturnType<typeof temporaryDirectory>
beforeEach(() => {
  place = temporaryDirectory('platform-fault')
})
afterEach(() => place[Symbol.dispose]())

async function read(files: Readonly<Record<string, string>>): Promise<Interpreter[]> {
  for (const [name, text] of Object.entries(files)) writeFileSync(join(place.path, name), text)
  return readInterpreters(place.path)
}
const fault = (platform: string, interpreters: readonly Interpreter[], machine = 'x64') =>
  platformFault(platform, { machine, interpreters })

describe('programs for another architecture', () => {
  test('run if the processor or an interpreter of the kernel runs them', async () => {
    const known = await read({ 'qemu-aarch64': QEMU, status: 'enabled\n', register: '' })
    expect(known.map(({ name }) => name)).toEqual(['qemu-aarch64'])
    for (const platform of ['linux/amd64', 'linux/amd64/v3', 'linux/386', 'linux/arm64', 'linux/arm64/v8']) {
      expect(await fault(platform, known)).toBeUndefined()
    }
    expect(await fault('linux/arm/v7', [], 'arm64')).toBeUndefined()
    expect(await platformFault(undefined)).toBeUndefined()
  })

  test('do not run otherwise, with what to install', async () => {
    const known = await read({ 'qemu-aarch64': QEMU })
    const message = /linux\/s390x do not run on this machine \(x64\).*install the packages qemu-user-static/
    expect(await fault('linux/s390x', known)).toMatch(message)
    expect(await fault('linux/arm/v7', known)).toMatch(/no interpreter/)
    expect(await fault('linux/unheard', known)).toMatch(/no interpreter/)
    expect(await fault('windows/amd64', known)).toMatch(/do not run on Linux/)
    expect(await fault('linux/arm64', await read({ 'qemu-aarch64': QEMU.replace('enabled', 'disabled') }))).toMatch(
      /no interpreter/,
    )
  })

  test('do not run if the interpreter would have to be in the image', async () => {
    const known = await read({ 'qemu-aarch64': QEMU.replace('POCF', 'PO') })
    expect(await fault('linux/arm64', known)).toMatch(/aarch64-binfmt-P \(qemu-aarch64\) is not open.*flag F/)
  })

  test('are told apart by class, byte order and machine', async () => {
    const all = [
      '386',
      'amd64',
      'arm',
      'arm64',
      'loong64',
      'mips64',
      'mips64le',
      'ppc64',
      'ppc64le',
      'riscv64',
      's390x',
    ]
    const headers = all.map(name => elfHeader(name)!.toString('hex'))
    expect(new Set(headers).size).toBe(all.length)
    const [qemu] = await read({ 'qemu-aarch64': QEMU })
    expect(all.filter(name => qemu!.matches(elfHeader(name)!))).toEqual(['arm64'])
  })

  test('are asked for by every executor before anything else', async () => {
    for (const executor of [bubblewrap(), runc(), chroot(), machineExecutor()]) {
      const { works, reason } = await executor.probe({ platform: 'linux/unheard' })
      expect({ works, reason }).toEqual({ works: false, reason: expect.stringMatching(/^programs for linux\/unheard/) })
    }
  })
})
