/** The commands of Redis that the locks send. */
export class FakeRedis {
  readonly keys = new Map<string, string>()

  async sendCommand([command, ...words]: string[]): Promise<unknown> {
    await new Promise(setImmediate)
    if (command === 'SET') {
      const [key, token, nx, px, ms] = words as [string, string, string, string, string]
      if (nx !== 'NX' || px !== 'PX' || !(Number(ms) > 0)) throw new Error('ERR syntax error')
      if (this.keys.has(key)) return null
      this.keys.set(key, token)
      return 'OK'
    }
    if (command === 'EVAL') {
      const [, , key, token] = words as [string, string, string, string]
      return this.keys.get(key) === token && this.keys.delete(key) ? 1 : 0
    }
    throw new Error(`ERR unknown command ${command}`)
  }
}
