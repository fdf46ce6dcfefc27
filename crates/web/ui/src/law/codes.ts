// Codes of the law that a person chooses from, as the API takes them.
export const CHANNELS = ['call', 'sms', 'whatsapp', 'email', 'push', 'letter', 'visit'] as const;
export const PURPOSES = ['contact', 'call_within_7_days', 'prerecorded', 'wider_hours', 'information_request', 'number_check', 'validation_notice', 'recording'] as const;
export const WISHES = ['only_between', 'not_between', 'wider_hours', 'not_channel', 'only_channel', 'not_point', 'minor', 'elderly', 'health'] as const;
export const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
export const LISTED = ['phone', 'email', 'document'] as const;
export const WHY_LISTED = ['optout', 'request', 'wrong_number', 'list'] as const;

/** Which fields a preference of a kind has. */
export const wishNeeds = (kind: string) => ({
  hours: kind === 'only_between' || kind === 'not_between' || kind === 'wider_hours',
  channel: kind === 'not_channel' || kind === 'only_channel',
  point: kind === 'not_point',
});

/** Open, and its deadline has passed. */
export const isOverdue = (row: { state: string; deadline: string }, today: string): boolean => row.state === 'open' && row.deadline < today;

/** A number or address of a person is shown by its end alone; a document by its last three. */
export function maskedValue(kind: string, value: string): string {
  if (kind === 'email') {
    const [name = '', host = ''] = value.split('@');
    return `${name.slice(0, 1)}···@${host}`;
  }
  return `··· ${value.slice(kind === 'document' ? -3 : -4)}`;
}
