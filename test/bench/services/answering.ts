/** Of a {@link Child} process: answers each message, and ends with whoever started it. */
export function answerEach<Q>(answer: (question: Q) => unknown): void {
  process.on('message', (question: Q) => {
    void Promise.resolve(answer(question)).then((value) => process.send?.(value ?? null))
  })
  process.on('disconnect', () => process.exit(0))
}
