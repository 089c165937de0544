import { createHash, createHmac } from 'node:crypto'

const EMPTY = createHash('sha256').digest('hex')
const SIGNED = 'host;x-amz-content-sha256;x-amz-date'

/** Makes a bucket by one request with Signature Version 4; resolves to whether the engine has made it. */
export async function makeBucket({ endpoint, region, key }, bucket) {
  const { host } = new URL(endpoint)
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
  const scope = [time.slice(0, 8), region, 's3', 'aws4_request']
  const fields = `host:${host}\nx-amz-content-sha256:${EMPTY}\nx-amz-date:${time}\n`
  const request = ['PUT', `/${bucket}`, '', fields, SIGNED, EMPTY].join('\n')
  const hash = createHash('sha256').update(request).digest('hex')
  const text = ['AWS4-HMAC-SHA256', time, scope.join('/'), hash].join('\n')
  const signingKey = scope.reduce(hmac, `AWS4${key.secretAccessKey}`)
  const authorization =
    `AWS4-HMAC-SHA256 Credential=${key.accessKeyId}/${scope.join('/')}, SignedHeaders=${SIGNED}, ` +
    `Signature=${hmac(signingKey, text).toString('hex')}`
  const headers = { 'x-amz-content-sha256': EMPTY, 'x-amz-date': time, authorization }
  const answer = await fetch(`${endpoint}/${bucket}`, { method: 'PUT', headers })
  await answer.arrayBuffer()
  return answer.ok
}

function hmac(key, text) {
  return createHmac('sha256', key).update(text).digest()
}
