/** SAFETY: names and media types come from others; nothing in them may move the cursor or fake another line. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, '?')
}
