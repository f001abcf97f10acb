/** What rtpengine 10.5.3 takes from its clients, and what it makes of it. */
export const TOLERATED: readonly (readonly [bencode: string, value: unknown])[] = [
  ['d1:ai1e', { a: 1 }],
  ['d1:ai1eexyz', { a: 1 }],
  ['d1:al1:b', { a: ['b'] }],
  ['d1:ad1:b1:c', { a: { b: 'c' } }],
  ['d1:z1:b1:a1:ce', { z: 'b', a: 'c' }],
  ['d1:ai1e1:ai2ee', { a: 1 }],
  ['d1:ai-0ee', { a: 0 }],
  ['d1:ai+5ee', { a: 5 }],
  ['d1:ai 5ee', { a: 5 }],
  ['d1:ai-05ee', { a: -5 }],
  ['d1:ai99999999999999999999ee', { a: 2n ** 63n - 1n }],
  ['d1:ai-99999999999999999999ee', { a: -(2n ** 63n) }],
]

/** What it refuses. */
export const NOT_TOLERATED: readonly string[] = [
  'd1:ai05ee',
  'd1:aiee',
  'd1:ai-ee',
  'd1:ai0x5ee',
  'd1:ai5',
  'd01:a1:be',
  'd1:a02:bce',
  'd1:a+1:be',
  'd1:a00:e',
  'di5e1:ae',
  'dle1:ae',
  'd1:ae',
  'd1:a',
  'd1:a9:be',
  'd1:aZe',
]
