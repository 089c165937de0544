import { describe, expect, test } from 'vitest'
import { baseUrl } from '../../lib/registry/addresses/base-url.ts'
import { addressKind } from '../../lib/registry/addresses/private-address.ts'
import { createUrlPolicy } from '../../lib/registry/addresses/url-policy.ts'

const registry = new URL('https://registry.example:5000/')
const follow = (text: string, from = registry, allowed?: readonly string[]) =>
  createUrlPolicy(from, allowed).follow(text, { method: 'GET', url: from }, 'redirect').href
const refusal = (text: string, from = registry, allowed?: readonly string[]): string => {
  try {
    return `followed ${follow(text, from, allowed)}`
  } catch (error) {
    return (error as { code: string }).code
  }
}

describe('the URL policy', () => {
  test.each([
    ['https://auth.example/token', 'https://auth.example/token'],
    ['/token?x=1#part', 'https://registry.example:5000/token?x=1'],
    ['token', 'https://registry.example:5000/token'],
    ['//cdn.example/x', 'https://cdn.example/x'],
  ])('HT-01: follows %s', (text, expected) => {
    expect(follow(text)).toBe(expected)
  })

  test.each([
    'http://auth.example/',
    'file:///etc/passwd',
    'javascript:alert(1)',
    'ftp://x/',
    'data:,x',
    'https://',
    'https://a:b@auth.example/',
    'https://user@auth.example/',
    'http://registry.example:5000/',
  ])('HT-02: refuses %s', text => {
    expect(refusal(text)).toBe('ERR_BLOCKED_URL')
  })

  test.each([
    '169.254.169.254',
    '[fd00:ec2::254]',
    '127.0.0.1',
    '0.0.0.0',
    '[::]',
    '[::1]',
    '10.1.2.3',
    '172.16.0.1',
    '172.31.255.255',
    '192.168.1.1',
    '100.64.0.1',
    '198.18.0.1',
    '192.0.0.1',
    '224.0.0.1',
    '255.255.255.255',
    '[::ffff:127.0.0.1]',
    '[::ffff:10.0.0.1]',
    '[::127.0.0.1]',
    '[64:ff9b::a00:1]',
    '[2002:a00:1::]',
    '[fe80::1]',
    '[fc00::1]',
    '[ff02::1]',
    '[fec0::1]',
    '2130706433',
    '017700000001',
    '0x7f.1',
    '127。0。0。1',
    'localhost',
    'LOCALHOST',
    'localhost.',
    'x.localhost',
  ])('HT-03: refuses the private address %s', host => {
    expect(refusal(`https://${host}/`)).toBe('ERR_BLOCKED_URL')
  })

  test.each([
    '172.15.0.1',
    '172.32.0.1',
    '100.128.0.1',
    '169.253.0.1',
    '198.20.0.1',
    '[2001:db8:1:2:3:4:5:6]',
    '[2606:4700::1111]',
    '[::ffff:8.8.8.8]',
  ])('HT-03: lets the public address %s pass', host => {
    expect(addressKind(new URL(`https://${host}/`).hostname)).toBe('public')
  })

  test("HT-03: the registry's own host and port may be private, another port may not", () => {
    const own = new URL('https://10.0.0.5:5000/')
    expect(follow('https://10.0.0.5:5000/token', own)).toBe('https://10.0.0.5:5000/token')
    expect(refusal('https://10.0.0.5:5001/token', own)).toBe('ERR_BLOCKED_URL')
    expect(follow('https://10.0.0.5:5001/token', own, ['10.0.0.5:5001'])).toBe('https://10.0.0.5:5001/token')
    expect(follow('https://10.0.0.6:1/token', own, ['10.0.0.6'])).toBe('https://10.0.0.6:1/token')
  })

  test('HT-03: a registry on loopback may name other private addresses, but not a metadata service', () => {
    const own = new URL('http://127.0.0.1:5000/')
    expect(follow('http://127.0.0.1:6000/t', own)).toBe('http://127.0.0.1:6000/t')
    expect(follow('http://192.168.1.1/t', own)).toBe('http://192.168.1.1/t')
    expect(refusal('http://169.254.169.254/t', own)).toBe('ERR_BLOCKED_URL')
    expect(refusal('http://[fd00:ec2::254]/t', own)).toBe('ERR_BLOCKED_URL')
  })
})

describe('baseUrl', () => {
  test.each([
    ['ghcr.io', 'https://ghcr.io/'],
    ['docker.io', 'https://registry-1.docker.io/'],
    ['localhost:5000', 'http://localhost:5000/'],
    ['127.9.9.9', 'http://127.9.9.9/'],
    ['[::1]:443', 'http://[::1]:443/'],
    ['10.0.0.1:80', 'https://10.0.0.1:80/'],
  ])('reaches %s at %s', (name, url) => {
    expect(baseUrl(name, undefined).href).toBe(url)
  })

  test('a rule decides about TLS: a list for the registries it names, a function unless it returns undefined', () => {
    expect(baseUrl('a.example', ['a.example']).protocol).toBe('http:')
    expect(baseUrl('b.example', ['a.example']).protocol).toBe('https:')
    expect(baseUrl('localhost', () => false).protocol).toBe('https:')
    expect(baseUrl('localhost', () => undefined).protocol).toBe('http:')
  })

  test.each(['', 'a/b', 'user@host', 'a b', 'a?b', '%41', 'a:b:c', 'x'.repeat(300).concat('/')])('refuses %j', name => {
    expect(() => baseUrl(name, undefined)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_REFERENCE' }))
  })
})
