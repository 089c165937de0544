import { expect, test } from 'vitest'
import { modeAttacks } from '../helpers/attacks/metadata-attacks.ts'
import { runAttack } from '../helpers/run-attack.ts'

test.each(modeAttacks)('$name', async attack => {
  const { expected, actual } = await runAttack(attack)
  expect(actual).toEqual(expected)
})
