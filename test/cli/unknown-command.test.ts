import { describe, expect, test } from 'vitest'
import { adviseOnCommand } from '../../lib/cli/failing/unknown-command.ts'
import { createProgram } from '../../lib/cli/program.ts'
import { openStore } from '../../lib/disk-store/index.ts'
import { cli } from '../helpers/run-cli.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'

const commands = createProgram(async () => {}, '1').commands.flatMap(one => [one.name(), ...one.aliases()])

describe('a word of another tool', () => {
  test.each([
    ['rmi', 'layerstore rm'],
    ['delete', 'layerstore rm'],
    ['extract', 'layerstore unpack'],
    ['version', 'layerstore --version'],
    ['auth', 'layerstore login'],
    ['catalog', 'does not list repositories'],
    ['flatten', 'layerstore edit'],
    ['blob', 'layerstore inspect DIGEST'],
    ['list-tags', 'layerstore tags'],
    ['image ls', 'layerstore images'],
    ['image pull', 'layerstore pull'],
    ['image rm', 'layerstore rm'],
    ['exec', 'layerstore start ID'],
    ['stop', 'layerstore containers stop ID'],
    ['logs', 'layerstore run'],
    ['system prune', 'layerstore gc'],
    ['system df', 'layerstore df'],
  ])('%s is answered with what does the same: %s', async (words, text) => {
    const { code, stderr } = await cli(words.split(' '))
    expect(code).toBe(2)
    expect(stderr).toContain(`unknown command ${JSON.stringify(words.split(' ')[0])}; `)
    expect(stderr).toContain(text)
  })

  test('is understood with its options, too', async () => {
    expect((await cli(['rmi', '--force', 'app:1'])).stderr).toContain('layerstore rm')
    expect((await cli(['--store', '/nowhere', '--json', 'rmi', '-f'])).stdout).toContain('layerstore rm')
  })

  test('after help is answered as without it', async () => {
    const { code, stderr } = await cli(['help', 'rmi'])
    expect({ code, stderr }).toEqual({ code: 2, stderr: (await cli(['rmi'])).stderr })
    expect((await cli(['help', 'abracadabra'])).stderr).toContain(
      'unknown command "abracadabra"; see "layerstore --help"',
    )
    expect((await cli(['help', 'help'])).stderr).toContain('no command given')
  })
})

describe('a suggestion by spelling', () => {
  test.each([
    ['pul', 'pull'],
    ['imagse', 'images'],
    ['inspct', 'inspect'],
    ['unpakc', 'unpack'],
  ])('of %s is %s', (word, command) => {
    expect(adviseOnCommand([word], commands)).toBe(`did you mean ${command}?`)
  })

  test('never names a command that removes something, and nothing that is far off', () => {
    for (const word of ['rn', 'r', 'gcc', 'prun', 'xm', 'gd', 'prunes']) {
      expect(adviseOnCommand([word], commands)).not.toMatch(/\b(rm|gc|prune)\b/)
    }
    expect(adviseOnCommand(['abracadabra'], commands)).toBe('see "layerstore --help"')
    expect(adviseOnCommand(['x'.repeat(10_000)], commands)).toBe('see "layerstore --help"')
  })

  test('no word of the table is a command with the opposite effect', () => {
    expect(adviseOnCommand(['extract'], commands)).not.toContain('import')
    expect(adviseOnCommand(['compare'], commands)).toContain('layerstore diff')
    expect(adviseOnCommand(['run'], commands)).not.toMatch(/prune|\brm\b/)
    expect(adviseOnCommand(['version'], commands)).not.toContain('verify')
  })
})

describe('an option of another tool', () => {
  test.each([
    [['pull', 'a.test/b', '--insecure'], '--plain-http'],
    [['copy', 'a', 'b', '--src-tls-verify=false'], '--tls-verify'],
    [['pull', 'a.test/b', '--all'], '--all-platforms'],
    [['pull', 'a.test/b', '--creds', 'me:secret'], 'layerstore login'],
    [['login', 'a.test', '-u', 'me', '-p', 'secret'], '--password-stdin'],
  ])('%j is answered with %s', async (args, text) => {
    const { code, stderr } = await cli(args)
    expect({ code, text: stderr }).toEqual({ code: 2, text: expect.stringContaining(text) })
    expect(stderr).not.toContain('secret')
  })

  test('crane ls REPOSITORY is answered with tags, and every refusal names the help of its command', async () => {
    using place = temporaryDirectory('ls')
    await (await openStore(place.path)).close()
    const { stderr } = await cli(['ls', 'ghcr.io/o/app'], { store: place.path })
    expect(stderr).toContain('layerstore tags REPOSITORY')
    expect((await cli(['pull', '--nonsense'])).stderr).toContain('see "layerstore pull --help"')
    expect((await cli([])).stderr).toContain('see "layerstore --help"')
  })
})
