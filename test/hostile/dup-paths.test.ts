import { expect, test } from 'vitest'
import { duplicateAttacks } from '../helpers/attacks/metadata-attacks.ts'
import { runAttack } from '../helpers/run-attack.ts'

test.each(duplicateAttacks)('$name', async attack => {
  const { expected, actual } = await runAttack(attack)
  expect(actual).toEqual(expected)
})
