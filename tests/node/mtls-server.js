// An HTTPS server that requires a client certificate:
//   node mtls-server.js CERT KEY CLIENT_CAS [PASSPHRASE]
// It prints its port, and logs whom it let in and why it refused.
'use strict';

const express = require('express');
const fs = require('fs');
const https = require('https');

const [cert, key, ca, passphrase] = process.argv.slice(2);

const app = express();
app.get('/', (request, response) => {
  const { subject, serialNumber } = request.socket.getPeerCertificate();
  response.send(`hello ${subject.CN}\n`);
  console.error(`let in: ${subject.CN} ${serialNumber}`);
});

const server = https.createServer(
  {
    cert: fs.readFileSync(cert),
    key: fs.readFileSync(key),
    passphrase,
    ca: fs.readFileSync(ca),
    requestCert: true,
    rejectUnauthorized: true,
  },
  app,
);
server.on('tlsClientError', (error, socket) => {
  console.error(`refused: ${socket.authorizationError || error.code}`);
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
