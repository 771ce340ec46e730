// Shakes hands with itself, with one PKCS #12 file on both sides:
// node pfx.js PASSPHRASE TRUSTED FILE
'use strict';

const { readFileSync } = require('fs');
const tls = require('tls');

const [passphrase, trusted, file] = process.argv.slice(2);
const options = { pfx: readFileSync(file), passphrase, ca: readFileSync(trusted) };

const server = tls.createServer(
  { ...options, requestCert: true, rejectUnauthorized: true },
  (socket) => {
    // What the client sends with its certificate, up to the root, is in the file alone.
    const names = [];
    for (let at = socket.getPeerCertificate(true); ; at = at.issuerCertificate) {
      names.push(at.subject.CN);
      if (!at.issuerCertificate || at.issuerCertificate === at) break;
    }
    socket.end(`${names.join(', ')}\n`);
    server.close();
  },
);
server.listen(0, '127.0.0.1', () => {
  const { port } = server.address();
  const client = tls.connect({ ...options, port, checkServerIdentity: () => undefined });
  client.on('data', (data) => process.stdout.write(data));
});
