import { homedir } from 'node:os'
import { join } from 'node:path'

/** Default store directory without `--store`: `$LAYERSTORE_STORE`, else `layerstore` in the user's data folder. */
export function storeDirectory(env: NodeJS.ProcessEnv, platform: NodeJS.Platform = process.platform): string {
  if (env.LAYERSTORE_STORE) return env.LAYERSTORE_STORE
  const home = env.HOME || homedir()
  if (platform === 'win32') return join(env.LOCALAPPDATA || join(home, 'AppData', 'Local'), 'layerstore')
  if (platform === 'darwin') return join(home, 'Library', 'Application Support', 'layerstore')
  return join(env.XDG_DATA_HOME || join(home, '.local', 'share'), 'layerstore')
}
