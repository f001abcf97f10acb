import { decode } from '../../core/bencode.ts'

/** What a media proxy says unasked: rtpengine's `dtmf-log-ng-tcp`, on every TCP connection of its own accord. */
export interface Notification {
  /** `onDTMF`. */
  readonly name: string
  readonly data: unknown
}

const KEY = Buffer.from('6:notify')

/** Who is told of keys pressed in calls: `DtmfEvents`, of this package. */
export interface DtmfReceiver {
  /** @param source tells apart the connections that bring the same events. */
  feed(value: unknown, source: unknown): void
}

/** Hands the notifications among what media proxies say unasked to `receiver`. */
export function notificationsTo(receiver: DtmfReceiver) {
  return (message: Buffer, offset: number, source: unknown): boolean => {
    const notification = notificationOf(message, offset)
    if (notification?.name !== 'onDTMF') return false
    receiver.feed(notification.data, source)
    return true
  }
}

/** The notification at `offset` of a message; undefined if it is none. */
export function notificationOf(message: Buffer, offset: number): Notification | undefined {
  if (message.indexOf(KEY, offset) < 0) return undefined
  try {
    const { notify, data } = decode(message.subarray(offset), 'utf8') as { notify?: unknown; data?: unknown }
    return typeof notify === 'string' ? { name: notify, data } : undefined
  } catch {
    return undefined
  }
}
