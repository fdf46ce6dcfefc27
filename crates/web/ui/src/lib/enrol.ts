/** A secret in groups of four, as people type it. */
export const groups = (secret: string): string => secret.replace(/(.{4})(?=.)/g, '$1 ');
