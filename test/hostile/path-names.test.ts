import { expect, test } from 'vitest'
import { pathAttacks } from '../helpers/attacks/path-attacks.ts'
import { runAttack } from '../helpers/run-attack.ts'

test.each(pathAttacks)('$name', async attack => {
  const { expected, actual } = await runAttack(attack)
  expect(actual).toEqual(expected)
})
