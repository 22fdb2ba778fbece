/**
 * One reason why an object is refused. `message` keeps the texts that users and scripts of the group know
 * (control-plane spec B, Appendix 2); field, rule and remedy say the rest.
 */
export interface Problem {
  /** Path of the field, e.g. `spec.tars.servants[1].port`. */
  readonly field: string
  readonly message: string
  /** What must hold. */
  readonly rule: string
  /** What to do. */
  readonly remedy: string
}

/** A value that cannot be. @param kind lower case, e.g. `tserver` */
export function invalid(kind: string, field: string, why: string, rule: string, remedy: string): Problem {
  return { field, message: `${kind} resource is invalid : ${why}`, rule, remedy }
}

/** A field that cannot change. `filed` is how the known text spells it. */
export function immutable(kind: string, field: string, remedy = 'create a new object instead'): Problem {
  return { field, message: `${kind} resource filed ".${field}" is immutable`, rule: 'cannot change once the object exists', remedy }
}

/** A reference to an object that is not there. */
export function notExist(field: string, kind: string, namespace: string, name: string, remedy: string): Problem {
  return { field, message: `${kind} ${namespace}/${name} not exists`, rule: `must name an existing ${kind} of the namespace`, remedy }
}

/** The text of a refusal: one line a problem. */
export function denialText(problems: readonly Problem[]): string {
  return problems.map(({ field, message, rule, remedy }) => `${message}; field ${field}: ${rule}; remedy: ${remedy}`).join('\n')
}
