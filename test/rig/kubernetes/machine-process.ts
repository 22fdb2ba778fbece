// A test process that has a machine with a program on it, says which, and waits for its end.
import { Machine } from './machine.ts'

const machine = await Machine.start()
const pid = await machine.start('sleeper', 'sleep', ['infinity']).pid()
console.log(JSON.stringify({ name: machine.name, address: machine.address, pid }))
