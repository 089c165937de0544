import { chmodSync, existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { runCredentialHelper } from '../../lib/registry/credentials/run-credential-helper.ts'
import { temporaryDirectory } from '../helpers/temporary-directory.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const ask = (helper: unknown, server: string, PATH: string) =>
  thrownBy(() => runCredentialHelper({ helper, server, environment: { PATH }, signal: undefined }))

test.each(['../../x', '/abs', 'a b', 'x;id', 'x\n', 'x\0', '-c', '', '.', 'ü', '$(id)', 5, null, ['x']])(
  'the helper name %j is refused',
  async name => {
    expect(await ask(name, 'a.example', '/usr/bin')).toMatchObject({ code: 'ERR_CREDENTIALS' })
  },
)

test.each(['a.example\nhost=evil', 'a\0b', 'a b', '\u202ea'])(
  'the server %j is not handed to a helper',
  async server => {
    using directory = temporaryDirectory('helper')
    const proof = join(directory.path, 'ran')
    const path = join(directory.path, 'docker-credential-x')
    writeFileSync(path, `#!/bin/sh\n: > ${proof}\n`)
    chmodSync(path, 0o755)
    expect(await ask('x', server, directory.path)).toMatchObject({ code: 'ERR_CREDENTIALS' })
    expect(existsSync(proof)).toBe(false)
    // The same helper runs for an honest server.
    await ask('x', 'a.example', directory.path)
    expect(existsSync(proof)).toBe(true)
  },
)
