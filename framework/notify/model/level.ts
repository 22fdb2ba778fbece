// How grave a notification is (framework-services 3.2, 3.3). Pure.

/** As stored and shown; gravest last. */
export const levels = ['[normal]', '[warn]', '[error]', '[alarm]'] as const
export type Level = (typeof levels)[number]

/** Words in a message that say its level, as native looks for them: the first that is found counts. */
const words: readonly (readonly [string, Level])[] = [
  ['[alarm]', '[alarm]'],
  ['[error]', '[error]'],
  ['[warn]', '[warn]'],
  ['[fail]', '[error]'],
]

export function levelOfMessage(message: string): Level {
  return words.find(([word]) => message.includes(word))?.[1] ?? '[normal]'
}

/** NOTIFYLEVEL on the wire: 0 normal, 1 warn, 2 error. */
export function levelOfNumber(level: number): Level {
  return level === 2 ? '[error]' : level === 1 ? '[warn]' : '[normal]'
}

/** Back to NOTIFYLEVEL; an alarm is an error to it. */
export function numberOfLevel(level: Level): number {
  return Math.min(levels.indexOf(level), 2)
}

/** The graver of two. */
export function graver(a: Level, b: Level): Level {
  return levels.indexOf(a) >= levels.indexOf(b) ? a : b
}
