import { COUNT, choice, DIGIT, key, NUMBER, NUMBERS, PAUSE, TEXT } from '../values.ts'

/** Keys for digits: to be sent, blocked or told of. */
export const DTMF_KEYS = [
  key(
    'code',
    ['digit'],
    DIGIT,
    'the digit, 0 to 15 or a character; with DTMF-security=DTMF the one that stands in',
  ),
  key('duration', [], COUNT, 'of the digit in ms, 100 to 5000, default 250'),
  key('volume', [], NUMBER, 'level of the digit or tone in dB'),
  key('pause', [], PAUSE, 'ms between digits, 100 to 5000; of stop recording: yes pauses it'),
  key('frequency', ['frequencies'], NUMBERS, 'Hz of the tone that replaces DTMF'),
  key(
    'DTMF-security',
    ['dtmf-security', 'DTMF security', 'dtmf security'],
    choice(['drop', 'silence', 'tone', 'random', 'zero', 'DTMF', 'off'], 'silence', 'off'),
    'what replaces blocked DTMF',
  ),
  key(
    'DTMF-security-trigger',
    ['dtmf-security-trigger', 'DTMF security trigger', 'dtmf security trigger'],
    choice(['drop', 'silence', 'tone', 'random', 'zero', 'DTMF', 'off'], 'silence', 'off'),
    'the same once the trigger was heard',
  ),
  key(
    'DTMF-security-trigger-end',
    ['dtmf-security-trigger-end', 'DTMF security trigger end', 'dtmf security trigger end'],
    choice(['drop', 'silence', 'tone', 'random', 'zero', 'DTMF', 'off'], 'silence', 'off'),
    'the same once the end trigger was heard',
  ),
  key(
    'DTMF-delay',
    ['DTMF delay', 'dtmf-delay', 'dtmf delay'],
    COUNT,
    'delay of the audio, in ms, so that tones can be removed',
  ),
  key('trigger', [], TEXT, 'digits that change DTMF-security'),
  key('trigger-end', ['trigger end', 'end trigger', 'end-trigger'], TEXT, 'digits that end it'),
  key(
    'trigger-end-time',
    ['trigger end time', 'end-trigger-time', 'end trigger time'],
    COUNT,
    'ms until it ends',
  ),
  key(
    'trigger-end-digits',
    ['trigger end digits', 'end-trigger-digits', 'end trigger digits'],
    COUNT,
    'digits until it ends',
  ),
  key(
    'dtmf-log-dest',
    ['DTMF-log-dest', 'dtmf-log-destination', 'DTMF-log-destination'],
    TEXT,
    'where DTMF events of the call go by UDP',
    { since: 'later' },
  ),
] as const
