export {
  type AccountFiles,
  type GroupAccount,
  readGroups,
  readUsers,
  type UserAccount,
} from './accounts/read-accounts.ts'
export { type FileOwner, resolveOwner } from './accounts/resolve-owner.ts'
export { type ProcessUser, resolveUser } from './accounts/resolve-user.ts'
