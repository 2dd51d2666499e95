// An HTTP service that makes garbage with every request. With "leak" each request also adds a listener that is never
// removed; its closure holds the request's body.
//
// Usage: node request_server.js healthy|leak BYTES_PER_REQUEST PORT
'use strict';
const crypto = require('node:crypto');
const events = require('node:events');
const fs = require('node:fs');
const http = require('node:http');

const [mode, bytesPerRequest, port] = process.argv.slice(2);
const counter = fs.openSync(`${process.env.COUNTERS}/requests_total`, 'w');
const shutdown = new events.EventEmitter().setMaxListeners(0);
let requests = 0;

http.createServer((request, response) => {
  requests += 1;
  fs.writeSync(counter, String(requests).padStart(20, '0'), 0);
  const body = crypto.randomBytes(Number(bytesPerRequest)).toString('latin1');
  if (mode === 'leak') {
    shutdown.once('close', () => fs.writeSync(2, `unfinished: ${body.length}\n`));
  }
  const words = Array.from({ length: 4000 }, (_, index) => ({ index, word: `token ${index}`, user: request.url }));
  response.end(JSON.stringify({ words: words.length, body: body.length }));
}).listen(Number(port), '127.0.0.1');
