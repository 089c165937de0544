import { BlockList, isIP } from 'node:net'
import { FormatError } from '../../errors/index.ts'
import { addressKind } from '../addresses/private-address.ts'

/** Returns the proxy for a URL; `undefined` for a direct connection. */
export type ProxyRule = (url: URL) => URL | undefined

/** A proxy for all URLs, `false` for none, or a function that decides for one URL; `undefined` for the default. */
export type ProxyOption = string | false | ((url: URL) => string | false | undefined) | undefined

/**
 * Builds the rule from an option and an environment. `NO_PROXY` lists hosts, `.suffixes`, addresses and networks
 * (`10.0.0.0/8`), each optionally with a port, or is `*`. Loopback addresses are always reached directly.
 *
 * @throws `FormatError` `ERR_INVALID_ARGUMENT` for a proxy that is not an http or https URL.
 */
export function proxyRule(option: ProxyOption, environment: NodeJS.ProcessEnv): ProxyRule {
  if (option === false) return () => undefined
  if (typeof option === 'function') {
    const byDefault = proxyRule(undefined, environment)
    return url => {
      const chosen = option(url)
      return chosen === undefined ? byDefault(url) : proxyRule(chosen, environment)(url)
    }
  }
  const variable = (name: string) => environment[name.toLowerCase()] || environment[name] || undefined
  // SAFETY: in a CGI program `HTTP_PROXY` holds the `Proxy` header of the request, so a remote client could choose the
  // proxy (httpoxy, CVE-2016-5385). A CGI program uses the lower-case variable only.
  const plain = environment.REQUEST_METHOD === undefined ? variable('HTTP_PROXY') : environment.http_proxy
  const proxies: Record<string, URL | undefined> = {
    'http:': parseProxy(option ?? plain),
    'https:': parseProxy(option ?? variable('HTTPS_PROXY')),
  }
  const exempt = option === undefined ? exemption(variable('NO_PROXY') ?? '') : () => false
  return url => {
    const proxy = proxies[url.protocol]
    return proxy === undefined || addressKind(url.hostname) === 'loopback' || exempt(url) ? undefined : proxy
  }
}

function parseProxy(text: string | undefined): URL | undefined {
  if (text === undefined || text === '') return undefined
  const url = URL.canParse(text) && /^https?:\/\//i.test(text) ? text : `http://${text}`
  // SAFETY: the URL may contain a password, so the error does not quote it.
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text) && url !== text) return fail()
  return URL.canParse(url) ? new URL(url) : fail()
}

function fail(): never {
  throw new FormatError('ERR_INVALID_ARGUMENT', 'the proxy is not an http or https address')
}

function exemption(list: string): (url: URL) => boolean {
  const tests = list.split(/[\s,]+/).flatMap(entry => (entry === '' ? [] : [exemptionOf(entry.toLowerCase())]))
  return url => tests.some(test => test(url))
}

function exemptionOf(entry: string): (url: URL) => boolean {
  if (entry === '*') return () => true
  const network = /^([0-9a-f.:]+)\/(\d{1,3})$/.exec(entry)
  if (network && isIP(network[1]!)) return inNetwork(network[1]!, Number(network[2]))
  const [, host = '', port] = /^(.*?)(?::(\d+))?$/.exec(isIP(entry) === 6 ? `[${entry}]` : entry)!
  const name = host.replace(/^\*?\./, '')
  return url => {
    const at = hostOf(url)
    const samePort = port === undefined || port === (url.port || (url.protocol === 'https:' ? '443' : '80'))
    return samePort && (at === name.replace(/^\[|\]$/g, '') || at.endsWith(`.${name}`))
  }
}

function inNetwork(address: string, bits: number): (url: URL) => boolean {
  const family = (text: string) => (isIP(text) === 6 ? 'ipv6' : 'ipv4')
  const list = new BlockList()
  if (bits > (family(address) === 'ipv6' ? 128 : 32)) return () => false
  list.addSubnet(address, bits, family(address))
  return url => isIP(hostOf(url)) !== 0 && list.check(hostOf(url), family(hostOf(url)))
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '').replace(/\.$/, '')
}
