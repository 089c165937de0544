import { HttpConnection } from './http-connection.mjs'

/**
 * Does a job `total` times over a number of connections. Resolves to the seconds, the latency of each job in
 * milliseconds, sorted, and the errors. A job that fails is an error; its connection is replaced.
 */
export async function crowd(host, connections, total, job) {
  const latencies = []
  const errors = []
  let next = 0
  const worker = async () => {
    let connection = new HttpConnection(host)
    for (let i = next++; i < total; i = next++) {
      const start = performance.now()
      try {
        await job(connection, i)
        latencies.push(performance.now() - start)
      } catch (error) {
        errors.push(error.message)
        connection.close()
        connection = new HttpConnection(host)
      }
    }
    connection.close()
  }
  const start = performance.now()
  await Promise.all(Array.from({ length: connections }, worker))
  return { seconds: (performance.now() - start) / 1000, latencies: latencies.sort((a, b) => a - b), errors }
}

/**
 * Sends wrong passwords over a number of connections until the returned function is called, which counts the answers.
 */
export function sendWrongPasswords(host, connections) {
  let isOver = false
  let answers = 0
  const worker = async (_, k) => {
    let connection = new HttpConnection(host)
    for (let i = 0; !isOver; i++) {
      const authorization = `Basic ${Buffer.from(`ann:wrong ${k} ${i}`).toString('base64')}`
      try {
        const { status } = await connection.request('GET', '/v2/', { headers: { authorization } })
        if (status !== 401 && status !== 429) throw new Error(`a wrong password was answered with ${status}`)
        answers++
      } catch {
        connection.close()
        connection = new HttpConnection(host)
      }
    }
    connection.close()
  }
  const workers = Promise.all(Array.from({ length: connections }, worker))
  return async () => {
    isOver = true
    await workers
    return answers
  }
}
