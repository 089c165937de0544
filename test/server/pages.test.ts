import { describe, expect, test } from 'vitest'
import { allowUsers, type ServePage } from '../../lib/server/index.ts'
import { runningServer } from '../helpers/running-server.ts'

const pages: ServePage = async ({ path, query }) => {
  if (path === '/fails') throw new Error('no page today')
  if (path !== '/' && path !== '/a') return undefined
  const body = Buffer.from(`<p>${path} ${query.get('x')}`)
  const headers = {
    'Content-Type': 'text/html',
    'Content-Length': `${body.length}`,
    'Content-Security-Policy': "default-src 'self'",
  }
  return { status: 200, headers, body }
}

describe('pages beside the protocol', () => {
  test('are answered with their own headers, and HEAD without a body', async () => {
    await using server = await runningServer({ pages })
    const page = await server.ask('GET', '/a?x=1')
    expect([page.status, page.body.toString()]).toEqual([200, '<p>/a 1'])
    expect(page.headers).toMatchObject({
      'content-type': 'text/html',
      'content-security-policy': "default-src 'self'",
      'x-content-type-options': 'nosniff',
    })
    const head = await server.ask('HEAD', '/')
    expect([head.status, head.headers['content-length'], head.body.length]).toEqual([200, '9', 0])
  })

  test('leave the protocol as it is', async () => {
    await using server = await runningServer({ pages })
    for (const [path, status] of [
      ['/v2/', 200],
      ['/v2', 200],
      ['/v2/_catalog', 200],
      ['/v2/none', 404],
    ] as const) {
      const answer = await server.ask('GET', path)
      expect([path, answer.status]).toEqual([path, status])
      expect(answer.headers['content-security-policy']).toBe("default-src 'none'; frame-ancestors 'none'; sandbox")
    }
    expect((await server.ask('POST', '/v2/app/blobs/uploads/')).status).toBe(202)
  })

  test('can only be read; unknown ones are 404, and failures 500 without details', async () => {
    const failures: unknown[] = []
    await using server = await runningServer({ pages, onRequest: ({ error }) => failures.push(error) })
    expect(await server.ask('POST', '/')).toMatchObject({ status: 405, headers: { allow: 'GET, HEAD' } })
    expect((await server.ask('GET', '/none')).status).toBe(404)
    const failed = await server.ask('GET', '/fails')
    expect(failed.status).toBe(500)
    expect(failed.body.toString()).not.toContain('today')
    expect(failures.at(-1)).toMatchObject({ message: 'no page today' })
  })

  test('need the log-in that the server needs, as a pull without a repository', async () => {
    await using server = await runningServer({ pages, authorize: allowUsers({ ann: 'secret' }) })
    const refused = await server.ask('GET', '/')
    expect([refused.status, refused.headers['www-authenticate']]).toEqual([401, expect.stringMatching(/^Basic /)])
    const authorization = `Basic ${Buffer.from('ann:secret').toString('base64')}`
    expect((await server.ask('GET', '/', { headers: { authorization } })).status).toBe(200)
  })

  test('are not found without the option', async () => {
    await using server = await runningServer()
    expect((await server.ask('GET', '/')).status).toBe(404)
  })
})
