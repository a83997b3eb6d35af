/* Requests to the lab. */

const PATIENCE = 4000; // milliseconds

export class Refusal extends Error {}

/* The answer's JSON. Throws Refusal with the lab's sentence, or another error where nothing answered. */
export async function ask(path, method = "GET", body = undefined) {
  const answer = await fetch(path, {
    method,
    body: body === undefined ? undefined : JSON.stringify(body),
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    signal: AbortSignal.timeout(PATIENCE),
  });
  const told = await answer.json();
  if (!answer.ok) throw new Refusal(told.error ?? `The lab answered ${answer.status}.`);
  return told;
}
