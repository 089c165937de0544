import { type Answer, jsonAnswer } from './answer.ts'
import { deleteBlob } from './blobs/delete-blob.ts'
import { getBlob } from './blobs/get-blob.ts'
import type { Call } from './call.ts'
import { Fault } from './fault.ts'
import { listCatalog, listTags } from './lists/list-names.ts'
import { deleteManifest } from './manifests/delete-manifest.ts'
import { getManifest } from './manifests/get-manifest.ts'
import { putManifest } from './manifests/put-manifest.ts'
import { parseRoute, type Route } from './route.ts'
import { appendUpload } from './uploads/append-upload.ts'
import { finishUpload } from './uploads/finish-upload.ts'
import { startUpload } from './uploads/start-upload.ts'
import { uploadAnswer } from './uploads/upload-answer.ts'

type Act<R> = (call: Call, route: R) => Promise<Answer> | Answer
type Acts = { readonly [K in Route['kind']]: Readonly<Record<string, Act<Extract<Route, { kind: K }>>>> }

const ACTS: Acts = {
  base: { GET: () => jsonAnswer(200, {}) },
  catalog: { GET: listCatalog },
  tags: { GET: listTags },
  manifest: { GET: getManifest, PUT: putManifest, DELETE: deleteManifest },
  blob: { GET: getBlob, DELETE: deleteBlob },
  uploads: { POST: startUpload },
  upload: {
    GET: ({ uploads }, route) => uploadAnswer(204, uploads.find(route)),
    PATCH: appendUpload,
    PUT: finishUpload,
    DELETE: async ({ uploads }, route) => {
      await uploads.find(route).abort()
      return { status: 204 }
    },
  },
}

/** Finds out what a request is about and does it. Throws {@link Fault} and errors of the library. */
export async function serveRequest(call: Call): Promise<Answer> {
  const route = parseRoute(call.path)
  if (!route) throw new Fault(404, { code: 'UNSUPPORTED', message: 'this registry has no such address' })
  const acts = ACTS[route.kind] as Readonly<Record<string, Act<Route>>>
  const method = call.request.method === 'HEAD' ? 'GET' : (call.request.method ?? '')
  const act = Object.hasOwn(acts, method) ? acts[method] : undefined
  if (!act) {
    const allowed = Object.keys(acts).flatMap(name => (name === 'GET' ? ['GET', 'HEAD'] : [name]))
    throw new Fault(405, { code: 'UNSUPPORTED', message: 'not done here' }, { Allow: allowed.join(', ') })
  }
  if (call.settings.readOnly && method !== 'GET') {
    throw new Fault(405, { code: 'UNSUPPORTED', message: 'this registry is read-only' }, { Allow: 'GET, HEAD' })
  }
  return act(call, route)
}
