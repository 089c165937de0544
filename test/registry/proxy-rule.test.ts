import { describe, expect, test } from 'vitest'
import { createRegistryClient } from '../../lib/registry/index.ts'
import { proxyRule } from '../../lib/registry/transport/proxy-rule.ts'
import { thrownBy } from '../helpers/thrown-by.ts'

const proxies = { HTTP_PROXY: 'http://plain:3128', HTTPS_PROXY: 'http://secure:3128' }
const ask = (environment: NodeJS.ProcessEnv, url: string, option?: string | false) =>
  proxyRule(option, environment)(new URL(url))?.host

describe('proxyRule', () => {
  test('reads the variable of the protocol in either case, lower case first', () => {
    expect(ask(proxies, 'http://a.example/')).toBe('plain:3128')
    expect(ask(proxies, 'https://a.example/')).toBe('secure:3128')
    expect(ask({ ...proxies, https_proxy: 'lower:1' }, 'https://a.example/')).toBe('lower:1')
    expect(ask({ HTTPS_PROXY: '' }, 'https://a.example/')).toBeUndefined()
    expect(ask({}, 'https://a.example/')).toBeUndefined()
  })

  test('an option replaces the environment, including its exceptions', () => {
    const environment = { ...proxies, NO_PROXY: '*' }
    expect(ask(environment, 'https://a.example/', 'https://own:1')).toBe('own:1')
    expect(ask(proxies, 'https://a.example/', false)).toBeUndefined()
  })

  test.each(['127.0.0.1:5000', 'localhost', '[::1]:80', 'a.localhost'])(
    'loopback address %s is reached directly',
    host => {
      expect(ask(proxies, `http://${host}/`)).toBeUndefined()
      expect(ask({}, `http://${host}/`, 'http://own:1')).toBeUndefined()
    },
  )

  test('the client of a CGI program cannot choose the proxy for http', () => {
    expect(ask({ ...proxies, REQUEST_METHOD: 'GET' }, 'http://a.example/')).toBeUndefined()
    expect(ask({ http_proxy: 'x:1', REQUEST_METHOD: 'GET' }, 'http://a.example/')).toBe('x:1')
  })

  test.each([
    ['*', true],
    ['a.example', true],
    ['.a.example', true],
    ['example', true],
    ['*.example', true],
    ['other.test, a.example', true],
    ['other.test a.example', true],
    ['A.EXAMPLE', true],
    ['a.example:443', true],
    ['a.example:8443', false],
    ['b.example', false],
    ['ample', false],
    ['', false],
    ['10.0.0.0/8', false],
  ])('NO_PROXY=%j for a.example: %s', (list, exempt) => {
    expect(ask({ ...proxies, NO_PROXY: list }, 'https://a.example/') === undefined).toBe(exempt)
    expect(ask({ ...proxies, no_proxy: list }, 'https://a.example/') === undefined).toBe(exempt)
  })

  test.each([
    ['10.0.0.0/8', 'http://10.1.2.3/', true],
    ['10.0.0.0/8', 'http://11.1.2.3/', false],
    ['10.1.2.3', 'http://10.1.2.3:5000/', true],
    ['fd00::/8', 'http://[fd12::1]/', true],
    ['fd00::1', 'http://[fd00::1]/', true],
    ['[fd00::1]:81', 'http://[fd00::1]:81/', true],
    ['[fd00::1]:81', 'http://[fd00::1]/', false],
    ['10.0.0.0/99', 'http://10.1.2.3/', false],
  ])('NO_PROXY=%j for %s: %s', (list, url, exempt) => {
    expect(ask({ ...proxies, NO_PROXY: list }, url) === undefined).toBe(exempt)
  })

  test('a function decides for each URL; undefined leaves it to the environment', () => {
    const rule = proxyRule(url => (url.hostname === 'a.example' ? 'b:2' : url.port === '81' ? false : undefined), {
      https_proxy: 'c:3',
    })
    expect(rule(new URL('https://a.example/'))?.host).toBe('b:2')
    expect(rule(new URL('https://d.example:81/'))).toBeUndefined()
    expect(rule(new URL('https://d.example/'))?.host).toBe('c:3')
    expect(rule(new URL('https://127.0.0.1/'))).toBeUndefined()
  })

  test.each(['socks5://a:1', 'ftp://user:secret@a', 'http://'])(
    'rejects the proxy %j without quoting it',
    async proxy => {
      const error = await thrownBy(() => createRegistryClient({ proxy }))
      expect(error).toMatchObject({ code: 'ERR_INVALID_ARGUMENT' })
      expect(error.message).not.toContain('secret')
    },
  )
})
