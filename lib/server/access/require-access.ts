import type { Call } from '../call.ts'
import { Fault } from '../fault.ts'
import type { Route } from '../route.ts'
import type { Authorize, RegistryAction } from './access.ts'
import { basicCredentials } from './basic-credentials.ts'

/** Resolves if the request may be served; otherwise throws the {@link Fault} to answer with. */
export async function requireAccess(call: Call, route: Route): Promise<void> {
  const allowed = await mayAccess(call, actionOf(call.request.method ?? '', route), repositoryOf(route))
  if (allowed === true) return
  if (allowed === 'denied') throw new Fault(403, { code: 'DENIED', message: 'this user lacks the permission' })
  if (allowed === 'busy') {
    const busy = { code: 'TOOMANYREQUESTS', message: 'too many password checks are waiting; retry later' } as const
    throw new Fault(429, busy, { 'Retry-After': '5' })
  }
  const challenge = `Basic realm=${JSON.stringify(call.settings.realm)}, charset="UTF-8"`
  throw new Fault(401, { code: 'UNAUTHORIZED', message: 'log in first' }, { 'WWW-Authenticate': challenge })
}

/** Whether the user of a request may perform an action on a repository. */
export function mayAccess(
  { settings, request, client, signal }: Call,
  action: RegistryAction,
  repository: string | undefined,
): ReturnType<Authorize> {
  if (!settings.authorize) return true
  const access = { action, repository, ...basicCredentials(request.headers.authorization) }
  return settings.authorize(access, { client, signal })
}

function actionOf(method: string, route: Route): RegistryAction {
  if (route.kind === 'upload' || route.kind === 'uploads') return 'push'
  if (method === 'DELETE') return 'delete'
  return method === 'GET' || method === 'HEAD' ? 'pull' : 'push'
}

function repositoryOf(route: Route): string | undefined {
  return 'path' in route ? route.path : undefined
}
