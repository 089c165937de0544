// The process in the user namespace of a plain user: opens stacks and runs processes for the process that started it.
import { Channel } from './channel/channel.ts'
import type { Message, Port } from './channel/message.ts'
import { SandboxService } from './sandbox-service.ts'

const port: Port = {
  // The other side may have ended: `disconnect` ends this process then.
  send: message => void (process.connected && process.send?.(message, undefined, undefined, () => {})),
  listen(onMessage, onEnd) {
    process.on('message', message => onMessage(message as Message))
    process.on('disconnect', onEnd)
  },
}

const service = new SandboxService()
service.connect(handlers => new Channel(port, handlers))
process.on('disconnect', async () => {
  await service.close()
  process.exit()
})
process.send?.('ready')
