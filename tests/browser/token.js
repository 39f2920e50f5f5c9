import assert from 'node:assert/strict';

/** A demo token, as the page gets it. */
export async function tokenFor(uid) {
  const response = await fetch(`${process.env.HONGYAN_IPLIST}/demo/token`, { method: 'POST', body: JSON.stringify({ uid }) });
  assert.equal(response.status, 200);
  return (await response.json()).token;
}
