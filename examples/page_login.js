// How a page logs in: its own server checks who it is and gives a token, each time a connection needs one.
//
//   const session = logIn({ uid: 'alice', fetchToken, onText: (from, text) => show(from, text) });
//   await session.say('bob', 'hello');
//   await session.logOut();
import { Client } from 'hongyan-client';

/**
 * @param {object} person
 * @param {string} person.uid
 * @param {() => Promise<string>} person.fetchToken asks the page's own server, which knows the session cookie
 * @param {(from: string, text: string) => void} person.onText
 * @param {(message: string) => void} [person.onLoggedOut] somebody logged in elsewhere, or the token is refused
 * @param {object} [more] options of the client: what Node.js needs, and tests
 */
export function logIn({ uid, fetchToken, onText, onLoggedOut = () => {} }, more = {}) {
  const client = new Client({
    appId: 'demo',
    uid,
    tokenSource: fetchToken,
    iplist: [''], // the page's own origin
    deviceId: crypto.randomUUID(), // two windows with the same one replace each other for ever
    ...more,
  }, {
    onMessage: (message) => {
      if (message.kind === 'c2c') onText(message.from, new TextDecoder().decode(message.content));
    },
    onState: (state, reason) => {
      if (state === 'stopped' && reason.code !== 'OK') onLoggedOut(reason.message);
    },
  });
  client.start();
  return {
    say: (to, text) => client.send(to, text),
    logOut: () => client.stop(),
  };
}
