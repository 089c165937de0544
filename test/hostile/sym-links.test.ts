import { expect, test } from 'vitest'
import { symlinkAttacks } from '../helpers/attacks/symlink-attacks.ts'
import { runAttack } from '../helpers/run-attack.ts'

test.each(symlinkAttacks)('$name', async attack => {
  const { expected, actual } = await runAttack(attack)
  expect(actual).toEqual(expected)
})
