import type { Message } from '../stores/store.ts'

/** One way to tell people. */
export interface Notifier {
  /**
   * Resolves when the other side accepted; throws `DeliveryError` otherwise. A text is the identity by which the other side knows what it
   * accepted; it comes back with the next message about the anomaly (`message.accepted`), so that a notifier whose identities change can end
   * the old one.
   */
  send(message: Message, signal: AbortSignal): Promise<string | void>
  /**
   * The other side forgets what is not repeated: a firing message is sent again every `every` ms while its anomaly is open, with its latest
   * numbers, and a resolved one for `afterEnd` ms.
   */
  readonly resend?: { readonly every: number; readonly afterEnd: number }
}

/** What a notifier is made with, so that tests own the world. */
export interface NotifierNeeds {
  readonly fetch: typeof fetch
  readonly now: () => number
  /** Writes one line: what the `log` notifier tells, and troubles that are not the message's failure (one replica of two is down). */
  readonly log: (line: string) => void
  /** Address under which people reach this server, without a slash at the end. */
  readonly externalUrl: string
  /** Folder that relative file names of the configuration start from; absent: the working directory. */
  readonly folder?: string
}
