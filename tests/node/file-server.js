// Serves the files of a folder over HTTP: node file-server.js FOLDER
// It prints its port.
'use strict';

const express = require('express');

const app = express();
app.use(express.static(process.argv[2]));
const server = app.listen(0, '127.0.0.1', () => console.log(server.address().port));
