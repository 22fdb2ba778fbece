/** The path of what a request asks for, without its query, as it was sent: no target that somebody makes up is invalid (`//`, which no URL can be made of). */
export function pathOf(target: string | undefined): string {
  return (target ?? '/').split('?', 1)[0] ?? '/'
}
