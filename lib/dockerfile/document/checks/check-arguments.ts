import { trimSpace } from '../../expansion/character-classes.ts'
import { dockerfileFault, type NamedSource, quoted } from '../dockerfile-fault.ts'
import type { Instruction, Position } from '../document.ts'
import { parseHeredocWord } from '../heredoc-words.ts'

/** Checks number and form of the operands. */
export function checkArguments(instruction: Instruction, source: NamedSource): void {
  const { name, words, json, position } = instruction
  const fail = (message: string, at: Position = position, hint?: string): never => {
    throw dockerfileFault(source, at, message, { hint })
  }
  const count = json?.length ?? words.length
  switch (name) {
    case 'ADD':
    case 'COPY':
      if (count < 2) fail(`${name} needs at least one source and a destination`)
      if (parseHeredocWord(json?.at(-1) ?? words.at(-1)!.text))
        fail('a here-document cannot be the destination', words.at(-1)?.position)
      return
    case 'FROM':
      checkFrom(instruction, fail)
      return
    case 'ENV':
    case 'LABEL':
    case 'ARG':
      checkNames(instruction, fail)
      return
    case 'EXPOSE':
    case 'ONBUILD':
    case 'VOLUME':
      if (count === 0) fail(`${name} needs at least one argument`)
      if (name === 'ONBUILD') checkTrigger(instruction, fail)
      if (name === 'VOLUME' && json?.some(path => trimSpace(path) === '')) fail('VOLUME with an empty path')
      return
    case 'MAINTAINER':
    case 'STOPSIGNAL':
    case 'USER':
    case 'WORKDIR':
      if (count !== 1) fail(`${name} needs an argument`)
      return
    case 'SHELL':
      if (count === 0) fail('SHELL needs at least one argument')
      if (!json) fail('SHELL needs the JSON form', words[0]?.position, 'SHELL ["executable", "parameter"]')
      return
    case 'HEALTHCHECK':
      checkHealthcheck(instruction, fail)
  }
}

type Fail = (message: string, at?: Position, hint?: string) => never

function checkFrom({ words }: Instruction, fail: Fail): void {
  const [, as, name] = words
  if (words.length !== 1 && (words.length !== 3 || as!.text.toLowerCase() !== 'as')) {
    fail('FROM needs one or three arguments', words[1]?.position, 'FROM image, or FROM image AS name')
  }
  if (name && !/^[a-z][a-z0-9\-_.]*$/.test(name.text.toLowerCase())) {
    fail(
      `invalid stage name ${quoted(name.text)}`,
      name.position,
      'a letter first, then letters, digits, -, _ and . only',
    )
  }
}

function checkNames({ name, words, legacy }: Instruction, fail: Fail): void {
  if (words.length === 0) fail(`${name} needs at least one argument`)
  if (legacy) return
  const blank = words.find(({ text }) => text.startsWith('='))
  if (blank) fail(`${name} with a blank name`, blank.position, 'no blanks round the =')
}

function checkTrigger({ words, trigger = '' }: Instruction, fail: Fail): void {
  const name = trimSpace(trigger.split(/[\t\v\f\r ]/, 1)[0]!).toUpperCase()
  if (name === 'ONBUILD') fail('ONBUILD ONBUILD is not allowed', words[0]?.position)
  if (name === 'FROM' || name === 'MAINTAINER') fail(`${name} is not allowed as a trigger`, words[0]?.position)
}

function checkHealthcheck({ words, json }: Instruction, fail: Fail): void {
  const [type, command] = words
  const { text, position } = type ?? fail('HEALTHCHECK needs at least one argument')
  const kind = text.toUpperCase()
  if (kind === 'NONE') {
    if (command || json?.length) fail('HEALTHCHECK NONE takes no arguments', command?.position)
  } else if (kind !== 'CMD') {
    fail(`unknown type ${quoted(text)} of HEALTHCHECK`, position, 'CMD or NONE')
  } else if (!command && !json?.length) {
    fail('HEALTHCHECK CMD needs a command', position)
  }
}
