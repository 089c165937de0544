import { describe, expect, test } from 'vitest'
import { readAll } from '../helpers/read-all.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { sampleBlob } from '../helpers/sample-blob.ts'
import { startScriptedRegistry } from '../helpers/start-scripted-registry.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const { bytes, descriptor } = sampleBlob(10_000)
async function* source() {
  yield bytes
}

describe('a registry that sends an upload elsewhere', () => {
  test('HT-23: gets the blob there, but no credentials', async () => {
    let got: Buffer = Buffer.alloc(0)
    await using elsewhere = await startScriptedRegistry(async (request, response) => {
      got = await readAll(request)
      response.writeHead(201).end()
    })
    await using server = await startScriptedRegistry((request, response) =>
      request.headers.authorization
        ? response.writeHead(202, { location: `http://${elsewhere.host}/bucket?signature=x` }).end()
        : response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end(),
    )
    await using registry = registryClientFor({ credentials: () => ({ username: 'ann', password: 'hunter2' }) })
    await registry.pushBlob({ registry: server.host, repository: 'a' }, descriptor, source)
    expect(got.equals(bytes)).toBe(true)
    expect(elsewhere.seen[0]!.headers.authorization).toBeUndefined()
    expect(elsewhere.seen[0]!.path).toContain('signature=x&digest=')
  })

  test.each(['http://169.254.169.254/x', 'http://a:b@127.0.0.1/', 'ftp://127.0.0.1/', 'http://['])(
    'HT-23: %s is refused, and nothing is read to be sent',
    async location => {
      let opened = 0
      await using server = await startScriptedRegistry((_, response) => response.writeHead(202, { location }).end())
      await using registry = registryClientFor()
      const open = () => {
        opened++
        return source()
      }
      const error = await thrownBy(() =>
        registry.pushBlob({ registry: server.host, repository: 'a' }, descriptor, open),
      )
      expect(error.code).toBe('ERR_BLOCKED_URL')
      expect(opened).toBe(0)
    },
  )
})
