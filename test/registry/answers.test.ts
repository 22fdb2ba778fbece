import { expect, it } from 'vitest'
import { Writer } from '#tars/codec/writer.ts'
import { createEndpointF, QueryF, type EndpointF } from '#tars/protocol/QueryF.ts'
import { bodyOf } from '#tars/server.ts'
import { answerEncoder } from '../../framework/registry/answers.ts'

const endpoints = (count: number, first: number): EndpointF[] => Array.from({ length: count }, (_, index) => createEndpointF({ host: `host-${first + index}.ü`, port: first + index, nodeName: index % 3 === 0 ? '' : `pod-${first + index}` }))

function encodedBy(func: string, result: unknown): Buffer {
  const writer = new Writer()
  QueryF.functions[func]?.writeResult(writer, result)
  return writer.bytes()
}

it.each([[0, 0], [1, 0], [0, 1], [10, 2], [127, 128], [300, 40_000]])('answers about %i active and %i inactive endpoints are, byte for byte, what each function says', (some, others) => {
  const [active, inactive] = [endpoints(some, 1), endpoints(others, 1000)]
  const answer = answerEncoder()({ active, inactive })
  const result = { return: 0, activeEp: active, inactiveEp: inactive }
  expect(bodyOf(answer.list).equals(encodedBy('findObjectById', active))).toBe(true)
  for (const func of ['findObjectById4Any', 'findObjectById4All', 'findObjectByIdInSameGroup']) expect(bodyOf(answer.lists).equals(encodedBy(func, result))).toBe(true)
  for (const func of ['findObjectByIdInSameStation', 'findObjectByIdInSameSet']) expect(bodyOf(answer.listsAfterPlace).equals(encodedBy(func, result))).toBe(true)
  expect(bodyOf(answer.names).equals(encodedBy('findObjectNodeName', { return: 0, nodeNames: [...active, ...inactive].map(({ nodeName }) => nodeName).filter((name) => name !== '') }))).toBe(true)
})
