// Opens encrypted key files: node open-keys.js PASSPHRASE FILE...
'use strict';

const { createPrivateKey } = require('crypto');
const { readFileSync } = require('fs');

const [passphrase, ...files] = process.argv.slice(2);
for (const file of files) {
  createPrivateKey({ key: readFileSync(file), passphrase });
}
console.log(`${files.length} opened`);
