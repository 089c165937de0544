import { describe, expect, test } from 'vitest'
import { nextPage } from '../../lib/registry/lists/next-page.ts'
import { registryClientFor } from '../helpers/registry-client-for.ts'
import { type Script, startScriptedRegistry } from '../helpers/start-scripted-registry.ts'

const list = async (script: Script, take = Number.POSITIVE_INFINITY) => {
  await using server = await startScriptedRegistry(script)
  await using registry = registryClientFor()
  const tags: string[] = []
  try {
    for await (const tag of registry.listTags({ registry: server.host, repository: 'a/b' })) {
      if (tags.push(tag) >= take) break
    }
    return { tags, asked: server.seen.map(({ path }) => path) }
  } catch (error) {
    return { tags, asked: server.seen.map(({ path }) => path), error: error as Error & { code: string } }
  }
}
const page = (tags: unknown, link?: string) =>
  [200, link === undefined ? {} : { link }, JSON.stringify({ name: 'a/b', tags })] as const

describe('listTags', () => {
  test('follows relative and absolute links as the caller reads on', async () => {
    const script: Script = (request, response, number) => {
      const absolute = `http://${request.headers.host}/v2/a/b/tags/list?last=d`
      const pages = [
        page(['a', 'b'], '</v2/a/b/tags/list?last=b>; rel="next"'),
        page(['c', 'd'], `</first>; rel=first, <${absolute}>; title="x"; REL=next`),
        page(['e'], '</v2/a/b/tags/list>; rel="previous"'),
      ]
      const [status, headers, body] = pages[number]!
      response.writeHead(status, headers).end(body)
    }
    const { tags, asked } = await list(script)
    expect(tags).toEqual(['a', 'b', 'c', 'd', 'e'])
    expect(asked).toEqual(['/v2/a/b/tags/list?n=1000', '/v2/a/b/tags/list?last=b', '/v2/a/b/tags/list?last=d'])
    expect((await list(script, 2)).asked).toHaveLength(1)
  })

  test('follows a link to http on its own registry that is reached by https', () => {
    const page = new URL('https://registry.example/v2/a/tags/list')
    expect(nextPage('<http://registry.example/v2/a/tags/list?last=b>; rel=next', page)?.href).toBe(
      'https://registry.example/v2/a/tags/list?last=b',
    )
    expect(() => nextPage('<http://other.example/v2/a/tags/list?last=b>; rel=next', page)).toThrow(/refused/)
  })

  test.each([
    '</v2/a/b/tags/list?last=a>; rel="next last"',
    '</v2/a/b/tags/list?last=a>; rel="last  NEXT"',
    '</v2/a/b/tags/list?last=a>;rel=next;title="x; rel=prev"',
    '</v2/a/b/tags/list?last=a>; title="a, b; c"; rel="next"',
    '</x>; rel="first last", </v2/a/b/tags/list?last=a>; rel="next"',
    '</v2/a/b/tags/list?last=a>',
    '</v2/a/b/tags/list?last=a>; title="more"',
    '/v2/a/b/tags/list?last=a; rel="next"',
  ])('reads the next page out of the link %s', async link => {
    const { tags, asked } = await list((request, response) => {
      const [status, headers, body] = request.url!.includes('last=a') ? page(['b']) : page(['a'], link)
      response.writeHead(status, headers).end(body)
    })
    expect([tags, asked.length]).toEqual([['a', 'b'], 2])
  })

  test.each([
    '</v2/a/b/tags/list?last=a>; rel="prev"',
    '</v2/a/b/tags/list?last=a>; rel="last first"',
    '</v2/a/b/tags/list?last=a>; title="rel=next"; rel=up',
    '</v2/a/b/tags/list?last=a>; title="; rel=next"; rel=nextcloud',
    '',
    ' ; ',
  ])('ends if the link (%s) names no next page', async link => {
    const { tags, asked } = await list((_, response) => {
      const [status, headers, body] = page(['a'], link)
      response.writeHead(status, headers).end(body)
    })
    expect([tags, asked.length]).toEqual([['a'], 1])
  })

  test.each([200, 201, 203])('accepts any success status (%d)', async status => {
    const { tags } = await list((_, response) => response.writeHead(status).end('{"tags":["a"]}'))
    expect(tags).toEqual(['a'])
  })

  test('omits the page size if the registry refuses it', async () => {
    const { tags, asked } = await list((request, response) => {
      if (request.url!.includes('n='))
        return response.writeHead(400).end('{"errors":[{"code":"PAGINATION_NUMBER_INVALID"}]}')
      const [status, headers, body] = request.url!.includes('last') ? page(['b']) : page(['a'], '<?last=a>; rel=next')
      return response.writeHead(status, headers).end(body)
    })
    expect(tags).toEqual(['a', 'b'])
    expect(asked).toEqual(['/v2/a/b/tags/list?n=1000', '/v2/a/b/tags/list', '/v2/a/b/tags/list?last=a'])
    expect((await list((_, response) => response.writeHead(400).end())).asked).toHaveLength(2)
  })

  test('skips digests among the tags', async () => {
    const digest = `sha256:${'a'.repeat(64)}`
    expect(await list((_, response) => response.end(JSON.stringify({ tags: ['a', digest] })))).toMatchObject({
      tags: ['a'],
    })
  })

  test.each([[null], [undefined], [[]]])('treats %j as no tags', async tags => {
    expect(await list((_, response) => response.end(JSON.stringify({ name: 'a/b', tags })))).toMatchObject({ tags: [] })
  })

  test('HT-27: a list that links back to an earlier page ends', async () => {
    const circle = await list((_, response, number) => {
      const [status, headers, body] = page([`t${number}`], '</v2/a/b/tags/list?n=1000>; rel=next')
      response.writeHead(status, headers).end(body)
    })
    expect(circle).toMatchObject({ tags: ['t0'], asked: { length: 1 } })
  })

  test('HT-27: the same page under ever new URLs ends', async () => {
    const same = await list((_, response, number) => {
      const [status, headers, body] = page(['a', 'b'], `</v2/a/b/tags/list?x=${number}>; rel=next`)
      response.writeHead(status, headers).end(body)
    })
    expect(same).toMatchObject({ tags: ['a', 'b'], asked: { length: 2 } })
  })

  test('HT-27: empty pages without end are an error', async () => {
    const { error, asked } = await list((_, response, number) => {
      const [status, headers, body] = page([], `</v2/a/b/tags/list?x=${number}>; rel=next`)
      response.writeHead(status, headers).end(body)
    })
    expect(error).toMatchObject({ code: 'ERR_LIMIT_EXCEEDED', what: 'empty pages in a row of tags', limit: 100 })
    expect(asked).toHaveLength(101)
  })

  test.each(['http://evil.example/x', '//evil.example/x', 'https://127.0.0.1/x', 'http://u:p@127.0.0.1/', 'http://['])(
    'HT-27: a next page at %s is refused',
    async target => {
      const { error, tags } = await list((_, response) => {
        const [status, headers, body] = page(['a'], `<${target}>; rel="next"`)
        response.writeHead(status, headers).end(body)
      })
      expect(error?.code).toBe('ERR_BLOCKED_URL')
      expect(tags).toEqual([])
    },
  )

  test.each(['no json', '{"tags":"a"}', '{"tags":["a b"]}', '{"tags":[1]}', '{"tags":["a"],"tags":["b"]}'])(
    'refuses the list %s',
    async body => {
      expect((await list((_, response) => response.end(body))).error?.code).toBe('ERR_PROTOCOL')
    },
  )

  test('HT-10: fetches a page again if it breaks off', async () => {
    const { tags, asked } = await list((_, response, number) => {
      const body = JSON.stringify({ tags: ['a', 'b'] })
      response.writeHead(200, { 'content-length': body.length })
      if (number === 1) response.end(body)
      else response.write(body.slice(0, 5), () => response.destroy())
    })
    expect(tags).toEqual(['a', 'b'])
    expect(asked).toHaveLength(2)
  })
})
