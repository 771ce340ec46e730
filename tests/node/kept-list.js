// How an authorizer in the folder keeps its list, in one process whose clock and
// network are played: node kept-list.js CLIENT
// It prints what the client was told at each time.
'use strict';

const fs = require('fs');
const path = require('path');
const { mock } = require('node:test');

const MINUTE = 60 * 1000;
const [client] = process.argv.slice(2);

const fetches = mock.method(globalThis, 'fetch');
mock.timers.enable({ apis: ['Date'], now: Date.now() });
mock.method(console, 'error', () => {});

const { handler } = require(path.resolve('authorizer.js'));
const clientCert = { clientCertPem: fs.readFileSync(client, 'utf8') };
// As a REST API sends it.
const event = { requestContext: { identity: { clientCert } } };

async function ask(when) {
  const { isAuthorized } = await handler(event);
  console.log(`${when}: ${isAuthorized}, fetched ${fetches.mock.callCount()} times`);
}

async function main() {
  await ask('at first');
  await ask('at once');
  mock.timers.setTime(Date.now() + 6 * MINUTE);
  await ask('six minutes later');
  const failing = () => Promise.reject(new Error('no network'));
  fetches.mock.mockImplementation(failing);
  mock.timers.setTime(Date.now() + 6 * MINUTE);
  await ask('without network');
  mock.timers.setTime(Date.now() + 8 * 24 * 60 * MINUTE);
  await ask('eight days later');
}

main();
