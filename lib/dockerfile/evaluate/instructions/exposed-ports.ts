import { isIP } from 'node:net'
import { quoted } from '../../document/dockerfile-fault.ts'
import type { Position } from '../../document/document.ts'
import { type InstructionContext, noteUnmatched } from './instruction-context.ts'

/** Ports of EXPOSE as `port/protocol`, ranges expanded. Words are sorted as written, then expanded and split. */
export function exposedPorts(context: InstructionContext): string[] {
  const { instruction, scope, state } = context
  const words = [...instruction.words].sort((a, b) => Buffer.compare(Buffer.from(a.text), Buffer.from(b.text)))
  return words.flatMap(({ text, position }) => {
    const expanded = scope.expand(text, position, { lookup: name => state.environment.get(name), split: true })
    noteUnmatched(context, expanded.unmatched)
    context.notes.words.push(...expanded.words)
    return expanded.words.flatMap(word => portsOf(word, position, context))
  })
}

function portsOf(word: string, position: Position, { scope }: InstructionContext): string[] {
  const fail = (why: string) => scope.fail(position, `invalid port ${quoted(word)}: ${why}`)
  const parts = word.split(':')
  const written = parts.pop()!
  const hostPort = parts.pop()
  const address = parts.join(':')
  const slash = written.indexOf('/')
  const range = slash < 0 ? written : written.slice(0, slash)
  const protocol = (slash < 0 ? '' : written.slice(slash + 1)).toLowerCase() || 'tcp'
  if (!['tcp', 'udp', 'sctp'].includes(protocol)) fail('the protocol is tcp, udp or sctp')
  if (address !== '' && isIP(address.replace(/^\[(.*)\]$/, '$1')) === 0) fail('the address is not an IP address')
  const [first, last] = portRange(range) ?? fail('a port is a number from 0 to 65535, or a range of two')
  if (hostPort) {
    const [hostFirst, hostLast] = portRange(hostPort) ?? fail('the host port is not a port or a range')
    if (last !== first && last - first !== hostLast - hostFirst) fail('the ranges have different lengths')
  }
  return Array.from({ length: last - first + 1 }, (_, i) => `${first + i}/${protocol}`)
}

function portRange(text: string): readonly [first: number, last: number] | undefined {
  const ports = text.split('-')
  if (ports.length > 2 || !ports.every(port => /^\d+$/.test(port) && Number(port) <= 65_535)) return undefined
  const first = Number(ports[0])
  const last = Number(ports.at(-1))
  return first <= last ? [first, last] : undefined
}
