import { BucketError } from '../../../errors/index.ts'
import type { BucketCredentials } from './credentials.ts'
import { type Profile, readSharedFiles } from './shared-files.ts'

/** Settings of profiles by which other tools get keys, and this library does not. */
const OTHER_WAYS = ['credential_process', 'role_arn', 'sso_session', 'sso_start_url', 'web_identity_token_file']

/**
 * Finds the key as the tools of AWS do: in the variables `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and
 * `AWS_SESSION_TOKEN`, else in the profile of the shared files. `AWS_PROFILE` wins over the variables only if those are
 * not set.
 *
 * @throws `BucketError` `ERR_BUCKET_CREDENTIALS` if there is none.
 */
export async function findBucketCredentials(environment: NodeJS.ProcessEnv): Promise<BucketCredentials> {
  const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN } = environment
  if (AWS_ACCESS_KEY_ID && AWS_SECRET_ACCESS_KEY) {
    return keyOf(AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN)
  }
  const profile = await readSharedFiles(environment)
  const { aws_access_key_id, aws_secret_access_key, aws_session_token } = profile
  if (aws_access_key_id && aws_secret_access_key) {
    return keyOf(aws_access_key_id, aws_secret_access_key, aws_session_token)
  }
  throw new BucketError('ERR_BUCKET_CREDENTIALS', `no credentials for the bucket: ${adviceFor(profile)}`)
}

function keyOf(accessKeyId: string, secretAccessKey: string, sessionToken: string | undefined): BucketCredentials {
  return { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) }
}

function adviceFor(profile: Profile): string {
  const other = OTHER_WAYS.find(name => profile[name] !== undefined)
  if (other) return `the profile uses ${other}, which is not supported; pass a function as credentials`
  return 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write them to ~/.aws/credentials'
}
