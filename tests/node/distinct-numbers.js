// How many of the serial numbers on stdin, one in a line, differ as JavaScript
// numbers: node distinct-numbers.js
'use strict';

const lines = require('fs').readFileSync(0, 'utf8').trimEnd().split('\n');
console.log(new Set(lines.map((hex) => parseInt(hex, 16))).size);
