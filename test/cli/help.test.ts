import { describe, expect, test } from 'vitest'
import { EXAMPLES } from '../../lib/cli/program/examples.ts'
import { createProgram } from '../../lib/cli/program.ts'
import { cli } from '../helpers/run-cli.ts'

const program = createProgram(async () => {}, '1')
const commands = program
  .createHelp()
  .visibleCommands(program)
  .filter(command => command.name() !== 'help')
const names = commands.map(command => command.name())

/** Splits an example as a shell does, up to a pipe or a redirection; of a pipe the part that runs layerstore. */
function words(line: string): string[] {
  const part = line.split(/ [|>] /).find(text => text.startsWith('layerstore '))!
  return [...part.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(match => match.slice(1).find(word => word !== undefined)!)
}

describe('the help', () => {
  test('of every command has examples, its own options first, and lines that say what it does', async () => {
    expect(Object.keys(EXAMPLES).sort()).toEqual([...names].sort())
    for (const name of names) {
      const { code, stdout, stderr } = await cli([name, '--help'])
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
      expect(stdout).toMatch(/\nExamples:\n {2}\$ .*layerstore /)
      const hasOwn = commands.find(one => one.name() === name)!.options.some(one => !one.helpGroupHeading)
      const [own, global] = [stdout.indexOf('\nOptions:'), stdout.indexOf('\nGlobal options:')]
      expect([own > 0, global > 0, own < global]).toEqual([true, true, hasOwn])
    }
  })

  test.each(Object.entries(EXAMPLES).flatMap(([name, lines]) => lines.map(line => [name, line] as const)))(
    'of %s: %s can be typed',
    async (name, line) => {
      let ran = 0
      const program = createProgram(async () => {
        ran++
      }, '1')
      for (const command of [program, ...program.commands])
        command.exitOverride().configureOutput({ writeErr: () => {} })
      const [first, command, ...rest] = words(line)
      expect([first, command]).toEqual(['layerstore', name === 'save' && command === 'load' ? 'load' : name])
      await program.parseAsync([command!, ...rest], { from: 'user' })
      expect(ran).toBe(1)
    },
  )

  test.each(names)('of %s is the same if only this command is defined', name => {
    const only = createProgram(async () => {}, '1', name).commands
    expect(only.map(one => one.name())).toEqual([name])
    expect(only[0]!.helpInformation()).toBe(commands.find(one => one.name() === name)!.helpInformation())
  })

  test('has all commands if the word is an alias or unknown', () => {
    for (const word of ['ls', 'nothing', 'help']) {
      expect(createProgram(async () => {}, '1', word).commands.map(one => one.name())).toEqual([...names, '__complete'])
    }
  })

  test('of the program groups the commands', async () => {
    const { stdout } = await cli(['--help'])
    for (const heading of ['Move images:', 'Make images:', 'Look inside', 'Keep the store:'])
      expect(stdout).toContain(heading)
    for (const name of names) expect(stdout).toMatch(new RegExp(`^ {2}${name}\\b`, 'm'))
  })

  test('says in plain words what a command does: a verb, and no person', () => {
    for (const command of commands) {
      const texts = [command.description(), ...command.options.map(({ description }) => description)]
      expect(command.description()).toMatch(/^[a-z]+ /)
      for (const text of texts)
        expect(text).not.toMatch(/\b(who|whoever|somebody|nobody|bring|takes? away|goes on|left out)\b/)
    }
  })
})
