import { constants } from 'node:os'
import { expect, test } from 'vitest'
import { asStoreError, onDisk } from '../../lib/disk-store/io-error.ts'
import { StoreError } from '../../lib/errors/index.ts'

const system = (code: string, errno = -1) =>
  Object.assign(new Error(`${code}, open '/home/somebody/secret'`), { code, errno, syscall: 'open' })

test('a system error keeps its name and its cause, and names the path inside the store', () => {
  const cause = system('ENOSPC')
  const error = asStoreError({ act: 'write', path: '.layerstore/x', writes: true }, cause)
  expect(error).toMatchObject({ code: 'ERR_STORE_IO', errno: 'ENOSPC', cause })
  expect((error as Error).message).toBe('could not write .layerstore/x (ENOSPC)')
})

test.each(['EROFS', 'EACCES', 'EPERM'])('%s means read-only when writing, and is just an error when reading', code => {
  const what = { act: 'open', path: 'x' }
  expect(asStoreError({ ...what, writes: true }, system(code))).toMatchObject({
    code: 'ERR_STORE_READ_ONLY',
    errno: code,
  })
  expect(asStoreError(what, system(code))).toMatchObject({ code: 'ERR_STORE_IO', errno: code })
})

test('a full quota, for which Node has no name, gets the system’s name', () => {
  const what = { act: 'write', path: 'x', writes: true }
  const unknown = system('Unknown system error -122', -constants.errno.EDQUOT)
  expect(asStoreError(what, unknown)).toMatchObject({ code: 'ERR_STORE_IO', errno: 'EDQUOT' })
  const strange = system('Unknown system error -99999', -99999)
  expect(asStoreError(what, strange)).toMatchObject({ errno: 'Unknown system error -99999' })
})

test('an error that is not the system’s passes unchanged', async () => {
  for (const error of [new Error('mine'), new StoreError('ERR_STORE_CLOSED', 'closed'), 'text', undefined]) {
    await expect(onDisk({ act: 'read', path: 'x' }, () => Promise.reject(error))).rejects.toBe(error)
  }
})
