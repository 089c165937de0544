import { expect, test, vi } from 'vitest'
import { lazySandbox } from '../../lib/cli/building/lazy-sandbox.ts'
import { lazyRegistry } from '../../lib/cli/session/lazy-registry.ts'
import { createRegistryClient } from '../../lib/registry/index.ts'
import { machineSandbox } from '../../lib/sandbox/index.ts'

test('a sandbox that is being made when the build ends is closed, and one that was not needed is not made', async () => {
  const sandbox = machineSandbox({ directory: '/none' })
  const close = vi.spyOn(sandbox, Symbol.asyncDispose)
  const open = vi.fn(async () => sandbox)
  await lazySandbox(open)[Symbol.asyncDispose]()
  expect(open).not.toHaveBeenCalled()
  const lazy = lazySandbox(open)
  const probing = lazy.executor.probe({})
  await lazy[Symbol.asyncDispose]()
  expect(close).toHaveBeenCalledTimes(1)
  await probing
  expect(open).toHaveBeenCalledTimes(1)
})

test('a client is made once, and closing one that could not be made is no error', async () => {
  const open = vi.fn(async () => createRegistryClient())
  const lazy = lazyRegistry(open)
  const wrong = { registry: 'host.test', repository: 'a', tag: '..' }
  for (const _ of [1, 2]) await expect(lazy.resolve(wrong)).rejects.toThrow()
  expect(open).toHaveBeenCalledTimes(1)
  await lazy.close()
  const failing = lazyRegistry(() => Promise.reject(new Error('no settings')))
  await expect(failing.resolve(wrong)).rejects.toThrow('no settings')
  await failing.close()
})
