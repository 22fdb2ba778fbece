// The client process: a LoadClient that is told what to do.
import { answerEach } from './answering.ts'
import { LoadClient, type Target } from './load-client.ts'

export type LoadQuestion =
  | { readonly target: Target }
  | { readonly saturate: Parameters<LoadClient['saturate']>[0] }
  | { readonly once: Parameters<LoadClient['once']>[0] }
  | { readonly paced: Parameters<LoadClient['paced']>[0] }

let client: LoadClient | undefined

answerEach<LoadQuestion>(async (question) => {
  if ('target' in question) {
    await client?.close()
    client = new LoadClient({ ...question.target, requests: question.target.requests.map((request) => Buffer.from(request)) })
    return client.open()
  }
  if (client === undefined) throw new Error('there is no target yet')
  if ('once' in question) return client.once(question.once)
  return 'saturate' in question ? client.saturate(question.saturate) : client.paced(question.paced)
})
