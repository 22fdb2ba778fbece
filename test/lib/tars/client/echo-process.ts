// A process that serves Echo: `text` answers its port. Tells the port to its parent, drains and ends when told so.
import { Echo, echoServant, objectName, startEcho } from '../server/echo.ts'

const server = await startEcho({ servants: { [objectName]: { interface: Echo, servant: { ...echoServant(), text: () => String(server.port()) } } } })
process.once('message', () => void server.drain(60_000).then(() => process.disconnect?.()))
process.send?.(server.port())
