// RETR of one message with node-pop3: node_pop3.mjs DIRECTORY-OF-THE-MODULE PORT MESSAGE. Prints the seconds of RETR.
import {pathToFileURL} from 'node:url';

const [module, port, message] = process.argv.slice(2);
const {default: Pop3Command} = await import(pathToFileURL(`${module}/src/Command.js`));
const pop = new Pop3Command({user: 'mrose', password: 'tanstaaf', host: '127.0.0.1', port: Number(port)});
await pop.NOOP();
const began = performance.now();
const [, stream] = await pop.command('RETR', Number(message));
// As a stream: as one string it takes a hundred times as long.
for await (const octets of stream) { void octets; }
console.log((performance.now() - began) / 1e3);
await pop.QUIT();
