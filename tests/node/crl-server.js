// An HTTPS server that requires a client certificate which is on no list:
//   node crl-server.js CERT KEY CLIENT_CAS CRL...
// It prints its port, reads all files again on SIGHUP, and logs whom it refused.
'use strict';

const fs = require('fs');
const https = require('https');

const [cert, key, ca, ...crl] = process.argv.slice(2);

const context = () => ({
  cert: fs.readFileSync(cert),
  key: fs.readFileSync(key),
  ca: fs.readFileSync(ca),
  crl: crl.map((file) => fs.readFileSync(file)),
});

const server = https.createServer(
  { ...context(), requestCert: true, rejectUnauthorized: true },
  (request, response) => {
    response.end(`hello ${request.socket.getPeerCertificate().subject.CN}\n`);
  },
);
server.on('tlsClientError', (error, socket) => {
  console.error(`refused: ${socket.authorizationError || error.code}`);
});
process.on('SIGHUP', () => {
  server.setSecureContext(context());
  console.error('reloaded');
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
