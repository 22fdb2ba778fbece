// One port for all: who opens much loses of its own.
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { boundConnections } from '#base/connections.ts'

test('of too many connections the oldest of the peer that has most is closed, and no other', async () => {
  const server = createServer()
  const open = boundConnections(server, 3)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const ended: string[] = []
  const client = async (name: string, localAddress: string): Promise<Socket> => {
    const socket = connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, localAddress })
    onTestFinished(() => void socket.destroy())
    socket.on('close', () => ended.push(name)).resume()
    await Promise.all([once(socket, 'connect'), once(server, 'connection')])
    return socket
  }
  await client('other', '127.0.0.9')
  const loud = [await client('one', '127.0.0.8'), await client('two', '127.0.0.8')]
  expect([open.size, ended]).toEqual([3, []])
  await client('three', '127.0.0.8')
  await once(loud[0] as Socket, 'close')
  await client('late', '127.0.0.7')
  await once(loud[1] as Socket, 'close')
  expect([open.size, ended]).toEqual([3, ['one', 'two']])
})
