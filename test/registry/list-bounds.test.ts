import { describe, expect, test } from 'vitest'
import type { RegistryEndpoint } from '../../lib/registry/endpoint/registry-endpoint.ts'
import { LIST_LIMITS, readPages } from '../../lib/registry/lists/read-pages.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

/** Reads a list in which every page links to another one; resolves to the number of requests and the outcome. */
async function readEndless(limits: Partial<typeof LIST_LIMITS>, itemsOf = (page: number) => [`item ${page}`]) {
  let asked = 0
  const send = async () => {
    const body = Buffer.from(JSON.stringify({ items: itemsOf(asked++) }))
    const headers = { link: `</list?page=${asked}>; rel=next` }
    return { status: 200, url: new URL('http://a.test/list'), headers, body: [body], cancel: () => {} }
  }
  const endpoint = {
    send,
    budget: () => undefined,
    within: (_: string, __: unknown, work: () => unknown) => work(),
    waitAfter: async (error: unknown) => {
      throw error
    },
  }
  const list = {
    name: 'items',
    request: { url: new URL('http://a.test/list'), scopes: [] },
    itemsOf: (document: unknown) => (document as { items: string[] }).items,
  }
  const pages = readPages(endpoint as unknown as RegistryEndpoint, list, { ...LIST_LIMITS, ...limits })
  const error = await thrownBy(async () => {
    for await (const _ of pages);
  })
  return { error, asked }
}

describe('a list without end is bounded', () => {
  test('in its pages', async () => {
    expect(await readEndless({ pages: 20 })).toMatchObject({
      error: { code: 'ERR_LIMIT_EXCEEDED', what: 'pages of items', limit: 20 },
      asked: 20,
    })
  })

  test('in its bytes', async () => {
    expect(await readEndless({ listBytes: 1000 })).toMatchObject({
      error: { code: 'ERR_LIMIT_EXCEEDED', what: 'bytes of items', limit: 1000 },
      asked: 49,
    })
  })

  test('in its empty pages, of which a few are accepted', async () => {
    const { error, asked } = await readEndless({ emptyPages: 3 }, page => (page < 8 && page % 4 === 3 ? ['x'] : []))
    expect([error, asked]).toMatchObject([{ code: 'ERR_LIMIT_EXCEEDED', what: 'empty pages in a row of items' }, 12])
  })

  test('in the bytes of a page', async () => {
    expect((await readEndless({ pageBytes: 5 })).error).toMatchObject({ what: 'page of items', limit: 5 })
  })
})
